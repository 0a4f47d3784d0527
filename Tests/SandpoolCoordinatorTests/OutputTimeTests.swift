import Foundation
import NIOCore
import NIOPosix
import SandpoolAPI
import SandpoolModel
import SandpoolTestSupport
import Testing

@testable import SandpoolCoordinator

/// `since` and `timestamps`, asked of a real coordinator.
@Suite(.timeLimit(.minutes(1)))
struct OutputTimeTests {
    /// The lines of an answer with the moments before them.
    private func stamped(
        _ server: TestServer, _ job: JobID, _ query: String
    ) async throws -> [(at: Timestamp, line: String)] {
        let answer = try await server.request("GET", "/v1/jobs/\(job)/output/stdout?timestamps=true\(query)")
        return try String(buffer: answer.body).split(separator: "\n").map { line in
            let (moment, rest) = (line.prefix(24), line.dropFirst(24))
            guard let at = Timestamp(String(moment)), rest.first == " " else { throw TestFailure("\(line)") }
            return (at, String(rest.dropFirst()))
        }
    }

    private func text(_ server: TestServer, _ job: JobID, since: String) async throws -> String {
        let answer = try await server.request("GET", "/v1/jobs/\(job)/output/stdout?since=\(since)")
        return String(buffer: answer.body)
    }

    /// Waits until the clock is past everything that could be noted together with what came at a moment.
    private func pass(_ moment: Timestamp) async {
        while SystemClock().now <= moment.advanced(by: .milliseconds(20)) { await Task.yield() }
    }

    @Test func linesCarryTheMomentWhenTheyCame() async throws {
        try await TestServer.run { server in
            let worker = try await FakeWorker(server)
            let job = try await server.submit(#"{"command": ["true"]}"#)
            let lease = try await worker.assignment().lease
            try worker.progress(lease, .running)
            try worker.send(lease, .stdout, at: 0, "one\nstill one")
            _ = try await worker.next(acknowledgements: true)
            let first = try await stamped(server, job.id, "")
            #expect(first.map(\.line) == ["one", "still one"])
            let begin = try #require(first.first?.at)
            #expect(begin >= job.createdAt && begin <= SystemClock().now)

            await pass(begin)
            try worker.send(lease, .stdout, at: 13, " line\ntwo\n")
            _ = try await worker.next(acknowledgements: true)
            await pass(SystemClock().now)
            try await worker.finish(lease, stdout: OutputTail(offset: 23, bytes: ByteBuffer(string: "three\n")))
            let all = try await stamped(server, job.id, "")
            #expect(all.map(\.line) == ["one", "still one line", "two", "three"])
            #expect(all.prefix(2).allSatisfy { $0.at == begin }, "a line counts from its first byte")
            let (second, third) = (all[2].at, all[3].at)
            #expect(begin < second && second < third)
            #expect(try await server.job(job.id).attempts.last?.finishedAt == third, "it came with the result")

            await pass(third)
            let whole = "one\nstill one line\ntwo\nthree\n"
            for (since, expected) in [
                ("1h", whole), ("\(job.createdAt)", whole), ("\(begin)", whole), ("\(second)", " line\ntwo\nthree\n"),
                ("\(second.advanced(by: .milliseconds(1)))", "three\n"),
                ("\(third.advanced(by: .milliseconds(1)))", ""), ("0", ""),
            ] {
                #expect(try await text(server, job.id, since: since) == expected, "\(since)")
            }
            #expect(try await stamped(server, job.id, "&since=\(second)").map(\.line) == [" line", "two", "three"])
            #expect(
                try await stamped(server, job.id, "&since=\(second)&follow=true").map(\.at) == [second, second, third])
            #expect(try await stamped(server, job.id, "&offset=19&limit=5").map(\.line) == ["two", "t"])
        }
    }

    @Test func aFollowerSeesMomentsAsTheyCome() async throws {
        try await TestServer.run { server in
            let worker = try await FakeWorker(server)
            let job = try await server.submit(#"{"command": ["true"]}"#)
            let lease = try await worker.assignment().lease
            try worker.progress(lease, .running)
            try worker.send(lease, .stdout, at: 0, "before\n")
            _ = try await worker.next(acknowledgements: true)
            await pass(SystemClock().now)
            let since = "\(SystemClock().now)"
            async let followed = stamped(server, job.id, "&follow=true&since=\(since)")
            // Whether the follower comes before this or after it, it gets the same.
            try worker.send(lease, .stdout, at: 7, "after\n")
            try await worker.finish(lease)
            let lines = try await followed
            #expect(lines.map(\.line) == ["after"])
            #expect(lines.allSatisfy { $0.at.description >= since })
        }
    }

    /// It knows nothing of the bytes, so it hides none of them.
    @Test func outputFromBeforeTheIndexCountsFromTheAttemptsBegin() async throws {
        let attempt = Attempt(
            id: .make(at: Timestamp(milliseconds: 0)), worker: .make(at: Timestamp(milliseconds: 0)), epoch: 1,
            state: .finished, createdAt: Timestamp(milliseconds: 1_000), startedAt: Timestamp(milliseconds: 2_000),
            finishedAt: Timestamp(milliseconds: 9_000))
        try await TestServer.run { server in
            let job = try await server.submit(#"{"command": ["true"]}"#)
            let folder = "\(server.directory)/output/\(job.id.text.suffix(2))"
            try PosixFile.makeDirectory(folder)
            try PosixFile.makeDirectory("\(folder)/\(job.id)")
            try PosixFile(path: "\(folder)/\(job.id)/\(attempt.id).stdout", flags: O_RDWR | O_CREAT)
                .write(ByteBuffer(string: "old\n"), at: 0)
            let pool = NIOThreadPool(numberOfThreads: 1)
            pool.start()
            let reader = OutputReader(
                store: MemoryJobStore(),
                output: OutputStore(root: "\(server.directory)/output", pool: pool, clock: SystemClock()))
            let stream = OutputStreamID(job: job.id, attempt: attempt.id, code: .stdout)
            #expect(
                try await reader.arrivals(stream, of: attempt, from: 0, to: 4)
                    == [Arrival(offset: 0, at: Timestamp(milliseconds: 2_000))])
            for (since, offset) in [(1_500, 0), (5_000, 0), (9_001, 4)] as [(Int64, Int64)] {
                let moment = Timestamp(milliseconds: since)
                #expect(try await reader.offset(stream, of: attempt, since: moment) == offset)
            }
            try await pool.shutdownGracefully()
        }
    }

    @Test(arguments: ["since=yesterday", "since=", "timestamps=maybe"])
    func aQueryThatCannotBeIsRefused(query: String) async throws {
        try await TestServer.run { server in
            let job = try await server.submit(#"{"command": ["true"]}"#)
            let path = "/v1/jobs/\(job.id)/output/stdout?\(query)"
            #expect(try await server.failure("GET", path) == (422, "invalid_query"))
        }
    }
}
