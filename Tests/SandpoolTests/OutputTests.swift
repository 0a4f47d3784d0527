import NIOCore
import SandpoolModel
import Testing

@testable import Sandpool

@Suite(.timeLimit(.minutes(1))) struct OutputTests {
    /// Answers the question whether the job is finished, and the last read for what came in between.
    private static func end(_ state: JobState = .succeeded) throws -> [@Sendable (ScriptedConnection) throws -> Void] {
        let job = try Job.fixture(state)
        return [
            { connection in
                try connection.request()
                connection.answer("200 OK", job.json)
            },
            { connection in
                let line = try connection.request()
                #expect(!line.contains("follow"))
                connection.beginChunks()
                connection.endChunks()
            },
        ]
    }

    @Test func goesOnAtTheByteWhereAConnectionWasLost() async throws {
        let server = try ScriptedServer(
            [
                { connection in
                    let line = try connection.request()
                    #expect(line == "GET /v1/jobs/j/output/stdout?offset=0&follow=true HTTP/1.1")
                    connection.beginChunks()
                    connection.sendChunk("hello ")
                },
                { connection in
                    let line = try connection.request()
                    #expect(line == "GET /v1/jobs/j/output/stdout?offset=6&follow=true HTTP/1.1")
                    connection.beginChunks()
                    connection.sendChunk("world")
                    connection.endChunks()
                },
            ] + Self.end())
        var text = ""
        for try await bytes in server.pool.output(of: "j", .stdout, follow: true) { text += String(buffer: bytes) }
        #expect(text == "hello world")
        try await server.finish()
    }

    /// A coordinator that shuts down ends its answers in order while the job runs on.
    @Test func anEndIsNoEndWhileTheJobRuns() async throws {
        let running = try Job.fixture(.running, returnCode: nil)
        let server = try ScriptedServer(
            [
                { connection in
                    try connection.request()
                    connection.beginChunks()
                    connection.sendChunk("a")
                    connection.endChunks()
                },
                { connection in
                    try connection.request()
                    connection.answer("200 OK", running.json)
                },
                { connection in
                    let line = try connection.request()
                    #expect(line.contains("offset=1&follow=true"))
                    connection.beginChunks()
                    connection.sendChunk("b")
                    connection.endChunks()
                },
            ] + Self.end())
        var text = ""
        for try await bytes in server.pool.output(of: "j", .stderr, follow: true) { text += String(buffer: bytes) }
        #expect(text == "ab")
        try await server.finish()
    }

    /// The byte where a stream with `since` begins is the coordinator's word; and a time that was cut off by the
    /// loss, or that stands before the rest of a line again, is not part of the stream.
    @Test(arguments: [0, 1, 24, 25, 26, 28, 29, 30, 60])
    func goesOnInTheMiddleOfAStampedLine(received: Int) async throws {
        let (one, two) = ("2027-01-15T08:00:00.000Z ", "2027-01-15T08:00:07.125Z ")
        let whole = "\(one)one\n\(two)two, the last\n"
        let own = 40 + max(0, min(received - 25, 4)) + max(0, received - 54)
        let isMidLine = (26...28).contains(received) || received > 54
        let server = try ScriptedServer(
            [
                { connection in
                    let line = try connection.request()
                    #expect(line.contains("?offset=0&since=10m&timestamps=true&follow=true "))
                    connection.send("HTTP/1.1 200 OK\r\nsandpool-offset: 40\r\ntransfer-encoding: chunked\r\n\r\n")
                    if received > 0 { connection.sendChunk(String(whole.prefix(received))) }
                },
                { connection in
                    let line = try connection.request()
                    #expect(line.contains("?offset=\(own)&timestamps=true&follow=true "))
                    connection.beginChunks()
                    // From that byte on, with a time before what is left of the line.
                    let begin = received < 29 ? 0 : 29
                    let rest =
                        isMidLine ? (begin == 0 ? one : two) + whole.dropFirst(received) : "\(whole.dropFirst(begin))"
                    for byte in rest { connection.sendChunk(String(byte)) }
                    connection.endChunks()
                },
            ] + Self.end())
        var text = ""
        for try await bytes in server.pool.output(of: "j", .stdout, since: "10m", timestamps: true, follow: true) {
            text += String(buffer: bytes)
        }
        #expect(text == whole)
        try await server.finish()
    }

    @Test(arguments: [
        ("", 3, 0), ("a\nb\nc\n", 2, 2), ("a\nb\nc", 2, 2), ("a\nb\nc\n", 9, 0), ("a\n\n\n", 1, 3), ("abc", 1, 0),
    ])
    func findsTheLastLines(_ text: String, _ count: Int, _ start: Int64) async throws {
        let server = try ScriptedServer([
            { connection in
                try connection.request()
                connection.beginChunks()
                for byte in text { connection.sendChunk(String(byte)) }
                connection.endChunks()
            }
        ])
        #expect(try await server.pool.offset(ofLastLines: count, of: "j", .stdout) == start)
        try await server.finish()
    }

    @Test func splitsLinesWhereverPiecesEnd() async throws {
        let job = try Job.fixture()
        let long = String(repeating: "x", count: SandboxLines.longestLine + 5)
        let server = try ScriptedServer(
            [
                { connection in
                    try connection.request()
                    connection.beginChunks()
                    for piece in ["on", "e\ntw", "o\n\n", long, "\nlast"] { connection.sendChunk(piece) }
                    connection.endChunks()
                }
            ] + Self.end())
        let sandbox = Sandbox(job, in: server.pool)
        var lines: [String] = []
        for try await line in sandbox.stdout.lines { lines.append(line) }
        #expect(lines == ["one", "two", "", String(long.dropLast(5)), "xxxxx", "last"])
        try await server.finish()
    }

    @Test func readAllIsBounded() async throws {
        let job = try Job.fixture()
        let server = try ScriptedServer([
            { connection in
                try connection.request()
                connection.beginChunks()
                connection.sendChunk(String(repeating: "x", count: 100))
            }
        ])
        let error = await #expect(throws: SandpoolError.self) {
            try await Sandbox(job, in: server.pool).stdout.readAll(limit: 99)
        }
        #expect(error?.code == "output_too_long")
        try await server.finish()
    }
}
