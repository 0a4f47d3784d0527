import Glibc
import NIOCore
import SandpoolAPI
import SandpoolModel
import Testing

@testable import Sandpool

@Suite(.timeLimit(.minutes(1))) struct RequestTests {
    @Test func refusedConnectionIsOneLineWithAWayOut() async throws {
        let server = try ScriptedServer([], listens: false)
        let error = await #expect(throws: SandpoolError.self) { try await server.pool.workers() }
        #expect(
            error?.description
                == "cannot reach coordinator at http://127.0.0.1:\(server.port): connection refused; "
                + "start it, or try --local"
        )
        try await server.finish()
    }

    @Test func aCoordinatorsHostThatIsGoneIsAskedFor() async throws {
        let server = try ScriptedServer([{ $0.closeWhenLeft() }])
        let exchange = try await server.pool.http.connector.connect()
        let level = SocketOptionLevel(IPPROTO_TCP)
        #expect(try await exchange.channel.getOption(.socketOption(.so_keepalive)).get() == 1)
        let idle = try await exchange.channel.getOption(.socket(level, TCP_KEEPIDLE)).get()
        #expect(idle == PeerWatch.idleSeconds)
        exchange.close()
        try await server.finish()
    }

    @Test func anAnswerThatDoesNotBeginIsALostConnection() async throws {
        let server = try ScriptedServer([
            { connection in
                try connection.request()
                connection.closeWhenLeft()
            }
        ])
        let http = server.pool.http
        let exchange = try await http.open(.GET, Routes.jobs)
        let error = await #expect(throws: SandpoolError.self) { try await http.accept(exchange, within: .seconds(1)) }
        #expect(error?.isConnectionLoss ?? false)
        #expect(error?.message == "http://127.0.0.1:\(server.port) did not answer within 1 s")
        try await server.finish()
    }

    @Test func errorAnswerIsThrownWithItsHint() async throws {
        let server = try ScriptedServer([
            { connection in
                try connection.request()
                connection.answer(
                    "404 Not Found", #"{"error":{"code":"not_found","message":"no job x","hint":"see sandpool ls -a"}}"#
                )
            }
        ])
        let error = await #expect(throws: SandpoolError.self) { try await server.pool.job("x") }
        #expect(error == SandpoolError(code: "not_found", message: "no job x", hint: "see sandpool ls -a", status: 404))
        try await server.finish()
    }

    @Test func answerOfSomethingElseIsNamed() async throws {
        let server = try ScriptedServer([
            { connection in
                try connection.request()
                connection.answer("502 Bad Gateway", "<html>")
            }
        ])
        let error = await #expect(throws: SandpoolError.self) { try await server.pool.job("x") }
        #expect(error?.status == 502)
        #expect(error?.hint == "is that a Sandpool coordinator?")
        try await server.finish()
    }

    @Test func referencesAndFiltersAreEscaped() async throws {
        let server = try ScriptedServer([
            { connection in
                let line = try connection.request()
                #expect(line == "GET /v1/jobs?state=failed&tag=a%3Db%20c%26d&limit=5&all=true HTTP/1.1")
                connection.answer("200 OK", "[]")
            },
            { connection in
                let line = try connection.request()
                #expect(line == "GET /v1/jobs/..%2Ftokens%3Fx/why HTTP/1.1")
                connection.answer("404 Not Found", "{}")
            },
        ])
        #expect(try await server.pool.jobs(states: [.failed], tags: ["a": "b c&d"], limit: 5, all: true).isEmpty)
        await #expect(throws: SandpoolError.self) { try await server.pool.why("../tokens?x") }
        try await server.finish()
    }

    @Test func waitOutlastsALostConnection() async throws {
        let finished = try Job.fixture(.failed, returnCode: 3)
        let server = try ScriptedServer([
            { try $0.request() },
            { connection in
                let line = try connection.request()
                #expect(line == "GET /v1/jobs/j?wait=true HTTP/1.1")
                connection.answer("200 OK", finished.json)
            },
        ])
        #expect(try await server.pool.wait(for: "j").returnCode == 3)
        try await server.finish()
    }
}
