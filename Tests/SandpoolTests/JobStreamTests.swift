import NIOCore
import SandpoolAPI
import SandpoolModel
import Testing

@testable import Sandpool

@Suite(.timeLimit(.minutes(1))) struct JobStreamTests {
    private static func output(_ offset: Int64, _ text: String, _ stream: OutputStreamCode = .stdout) -> Frame {
        .output(
            OutputFrame(
                id: Job.fixtureID.text, epoch: 0, stream: stream, offset: offset, bytes: ByteBuffer(string: text)))
    }

    private static let created = RunEvent.created(id: Job.fixtureID, name: nil)

    /// Reads a stream to its end: its output, how often it reconnected, and the job.
    private static func collect(_ stream: JobStream) async throws -> (out: String, err: String, losses: Int, job: Job?)
    {
        var result = (out: "", err: "", losses: 0, job: Job?.none)
        while let event = try await stream.next() {
            switch event {
            case .output(.stdout, let bytes): result.out += String(buffer: bytes)
            case .output(.stderr, let bytes): result.err += String(buffer: bytes)
            case .reconnecting: result.losses += 1
            case .finished(let job): result.job = job
            case .created, .state: break
            }
        }
        return result
    }

    @Test func followsFromWhereItStoodAndDropsRepetitions() async throws {
        let job = try Job.fixture(.failed, returnCode: 7)
        let server = try ScriptedServer([
            { connection in
                try connection.request()
                let first: RunRequest = try connection.frame().message()
                #expect(first == .submit(JobSpec(command: ["x"])))
                connection.beginChunks()
                try connection.sendFrame(.message(Self.created))
                try connection.sendFrame(Self.output(0, "abc"))
                try connection.sendFrame(Self.output(0, "E", .stderr))
            },
            { connection in
                try connection.request()
                let first: RunRequest = try connection.frame().message()
                #expect(first == .follow(job: Job.fixtureID.text, stdout: 3, stderr: 1))
                connection.beginChunks()
                try connection.sendFrame(Self.output(1, "bcdef"))
                try connection.sendFrame(Self.output(0, "E", .stderr))
                try connection.sendFrame(.message(RunEvent.finished(job)))
            },
        ])
        let result = try await Self.collect(JobStream(server.pool, submitting: JobSpec(command: ["x"])))
        #expect(result.out == "abcdef")
        #expect(result.err == "E")
        #expect(result.losses == 1)
        #expect(result.job?.returnCode == 7)
        try await server.finish()
    }

    /// An end in order is no result either: nothing but `finished` states one.
    @Test func anEndWithoutAResultIsALoss() async throws {
        let job = try Job.fixture()
        let server = try ScriptedServer([
            { connection in
                try connection.request()
                connection.beginChunks()
                try connection.sendFrame(.message(Self.created))
                connection.endChunks()
            },
            { connection in
                try connection.request()
                connection.beginChunks()
                try connection.sendFrame(.message(RunEvent.finished(job)))
            },
        ])
        let result = try await Self.collect(JobStream(server.pool, submitting: JobSpec(command: ["x"])))
        #expect(result.losses == 1)
        #expect(result.job != nil)
        try await server.finish()
    }

    /// What a coordinator sends when it is stopped: the job goes on, and so does its follower.
    @Test func aStoppingCoordinatorIsALoss() async throws {
        let job = try Job.fixture(.failed, returnCode: 7)
        let stopping = APIError(status: 503, code: APIError.shuttingDownCode, message: "the coordinator is stopping")
        let server = try ScriptedServer([
            { connection in
                try connection.request()
                connection.beginChunks()
                try connection.sendFrame(.message(Self.created))
                try connection.sendFrame(Self.output(0, "abc"))
                try connection.sendFrame(.message(RunEvent.failed(stopping)))
                connection.endChunks()
            },
            { connection in
                try connection.request()
                connection.answer("503 Service Unavailable", #"{"error":{"code":"shutting_down","message":"no"}}"#)
                connection.closeInOrder()
            },
            { connection in
                try connection.request()
                let first: RunRequest = try connection.frame().message()
                #expect(first == .follow(job: Job.fixtureID.text, stdout: 3, stderr: 0))
                connection.beginChunks()
                try connection.sendFrame(Self.output(3, "def"))
                try connection.sendFrame(.message(RunEvent.finished(job)))
            },
        ])
        let result = try await Self.collect(JobStream(server.pool, submitting: JobSpec(command: ["x"])))
        #expect(result.out == "abcdef")
        #expect(result.losses == 1, "one absence, however many tries it takes")
        #expect(result.job?.returnCode == 7)
        try await server.finish()
    }

    @Test func aCoordinatorThatStaysAwayIsGivenUpWithTheJobsName() async throws {
        let server = try ScriptedServer([
            { connection in
                try connection.request()
                connection.beginChunks()
                try connection.sendFrame(.message(Self.created))
                connection.endChunks()
            }
        ])
        let error = await #expect(throws: SandpoolError.self) {
            _ = try await Self.collect(
                JobStream(server.pool, submitting: JobSpec(command: ["x"]), patience: .zero))
        }
        #expect(error?.code == SandpoolError.codeDisconnected)
        #expect(error?.message.hasSuffix("gave up following \(Job.fixtureID)") == true)
        #expect(
            error?.hint == "when the coordinator is back: sandpool logs -f \(Job.fixtureID), or sandpool wait "
                + "\(Job.fixtureID)")
        try await server.finish()
    }

    @Test func neverSubmitsTwiceWithoutAKey() async throws {
        let server = try ScriptedServer([
            { connection in
                try connection.request()
                _ = try connection.frame()
            }
        ])
        let error = await #expect(throws: SandpoolError.self) {
            _ = try await Self.collect(JobStream(server.pool, submitting: JobSpec(command: ["x"])))
        }
        #expect(error?.code == SandpoolError.codeDisconnected)
        try await server.finish()
    }

    @Test func submitsAgainWithAKey() async throws {
        var spec = JobSpec(command: ["x"])
        spec.idempotencyKey = "k"
        let job = try Job.fixture()
        let server = try ScriptedServer([
            { connection in
                try connection.request()
                _ = try connection.frame()
            },
            { [spec] connection in
                try connection.request()
                let first: RunRequest = try connection.frame().message()
                #expect(first == .submit(spec))
                connection.beginChunks()
                try connection.sendFrame(.message(Self.created))
                try connection.sendFrame(.message(RunEvent.finished(job)))
            },
        ])
        #expect(try await Self.collect(JobStream(server.pool, submitting: spec)).job != nil)
        try await server.finish()
    }

    @Test func aRetriedJobsOutputBeginsAgain() async throws {
        let job = try Job.fixture()
        let server = try ScriptedServer([
            { connection in
                try connection.request()
                connection.beginChunks()
                try connection.sendFrame(.message(Self.created))
                try connection.sendFrame(.message(RunEvent.state(.running, note: nil, attempt: Self.first)))
                try connection.sendFrame(Self.output(0, "first"))
                try connection.sendFrame(.message(RunEvent.state(.queued, note: nil, attempt: Self.first)))
                try connection.sendFrame(.message(RunEvent.state(.running, note: nil, attempt: Self.second)))
                try connection.sendFrame(Self.output(0, "2nd"))
                try connection.sendFrame(.message(RunEvent.finished(job)))
            }
        ])
        let result = try await Self.collect(JobStream(server.pool, submitting: JobSpec(command: ["x"])))
        #expect(result.out == "first2nd")
        try await server.finish()
    }

    private static let first = AttemptID.make(at: Timestamp(milliseconds: 1))
    private static let second = AttemptID.make(at: Timestamp(milliseconds: 2))

    /// While the connection was lost another attempt took the first one's place.
    @Test func anotherAttemptsOutputIsNotTakenForTheRestOfTheFirst() async throws {
        let job = try Job.fixture()
        let server = try ScriptedServer([
            { connection in
                try connection.request()
                connection.beginChunks()
                try connection.sendFrame(.message(Self.created))
                try connection.sendFrame(.message(RunEvent.state(.running, note: nil, attempt: Self.first)))
                try connection.sendFrame(Self.output(0, "first"))
            },
            { connection in
                try connection.request()
                let first: RunRequest = try connection.frame().message()
                #expect(first == .follow(job: Job.fixtureID.text, stdout: 5, stderr: 0, attempt: Self.first))
                connection.beginChunks()
                try connection.sendFrame(.message(RunEvent.state(.running, note: nil, attempt: Self.second)))
                try connection.sendFrame(Self.output(0, "second"))
                try connection.sendFrame(.message(RunEvent.finished(job)))
            },
        ])
        let result = try await Self.collect(JobStream(server.pool, submitting: JobSpec(command: ["x"])))
        #expect(result.out == "firstsecond")
        try await server.finish()
    }

    /// Of the job that its key names, an earlier process had read a part; of another one it had not.
    @Test(arguments: [true, false]) func aKeyedJobIsTakenUpWhereAnEarlierProcessWas(_ isSame: Bool) async throws {
        let job = try Job.fixture()
        var spec = JobSpec(command: ["x"])
        spec.idempotencyKey = "k"
        let known = isSame ? Job.fixtureID : JobID.make(at: Timestamp(milliseconds: 1))
        let earlier = JobPosition(job: known, attempt: Self.first, stdout: 3, stderr: 0)
        let ending: @Sendable (ScriptedConnection) throws -> Void = { connection in
            try connection.sendFrame(.message(RunEvent.state(.running, note: nil, attempt: Self.first)))
            try connection.sendFrame(Self.output(isSame ? 3 : 0, "def"))
            try connection.sendFrame(.message(RunEvent.finished(job)))
        }
        let submission: @Sendable (ScriptedConnection) throws -> Void = { connection in
            try connection.request()
            connection.beginChunks()
            try connection.sendFrame(.message(Self.created))
            if isSame { connection.closeWhenLeft() } else { try ending(connection) }
        }
        let following: @Sendable (ScriptedConnection) throws -> Void = { connection in
            try connection.request()
            let first: RunRequest = try connection.frame().message()
            #expect(first == .follow(job: Job.fixtureID.text, stdout: 3, stderr: 0, attempt: Self.first))
            connection.beginChunks()
            try ending(connection)
        }
        let server = try ScriptedServer(isSame ? [submission, following] : [submission])
        let stream = JobStream(server.pool, submitting: spec, goingOnFrom: earlier)
        #expect(try await Self.collect(stream).out == "def")
        let end = JobPosition(job: Job.fixtureID, attempt: Self.first, stdout: isSame ? 6 : 3, stderr: 0)
        #expect(await stream.position == end)
        try await server.finish()
    }

    @Test func inputIsBoundedAndSentAgainAfterALoss() async throws {
        let job = try Job.fixture()
        let all = ByteBuffer(bytes: (0..<(900 << 10)).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) })
        let server = try ScriptedServer([
            { connection in
                try connection.request()
                _ = try connection.frame()
                connection.beginChunks()
                try connection.sendFrame(.message(Self.created))
                // Without acknowledgement no more than the window comes.
                var received: Int64 = 0
                while received < InputWindow.limit {
                    guard case .input(let input) = try connection.frame() else { continue }
                    #expect(input.offset == received)
                    received += Int64(input.bytes.readableBytes)
                }
                #expect(received == InputWindow.limit)
                try connection.sendFrame(.message(RunEvent.inputConsumed(100_000)))
                // What this makes room for comes before the connection is lost.
                guard case .input(let input) = try connection.frame() else { return }
                #expect(input.offset == InputWindow.limit)
            },
            { connection in
                try connection.request()
                _ = try connection.frame()
                connection.beginChunks()
                var collected = ByteBuffer()
                var isLast = false
                while !isLast {
                    guard case .input(var input) = try connection.frame() else { continue }
                    #expect(input.offset == 100_000 + Int64(collected.readableBytes))
                    isLast = input.isLast
                    collected.writeBuffer(&input.bytes)
                    try connection.sendFrame(.message(RunEvent.inputConsumed(100_000 + Int64(collected.readableBytes))))
                }
                #expect(collected == all.getSlice(at: 100_000, length: all.readableBytes - 100_000))
                try connection.sendFrame(.message(RunEvent.finished(job)))
            },
        ])
        let stream = JobStream(server.pool, submitting: JobSpec(command: ["x"]))
        async let writing: Void = {
            #expect(try await stream.write(all))
            try await stream.finishInput()
        }()
        #expect(try await Self.collect(stream).job != nil)
        try await writing
        try await server.finish()
    }

    @Test func writersAreLetGoWhenTheJobEnds() async throws {
        let job = try Job.fixture()
        let server = try ScriptedServer([
            { connection in
                try connection.request()
                _ = try connection.frame()
                connection.beginChunks()
                try connection.sendFrame(.message(Self.created))
                _ = try connection.frame()
                try connection.sendFrame(.message(RunEvent.finished(job)))
                connection.closeInOrder()
            }
        ])
        let stream = JobStream(server.pool, submitting: JobSpec(command: ["x"]))
        async let accepted = stream.write(ByteBuffer(repeating: 0, count: 8 << 20))
        _ = try await Self.collect(stream)
        #expect(try await accepted == false)
        try await server.finish()
    }

    @Test func signalsReachTheServer() async throws {
        let job = try Job.fixture()
        let server = try ScriptedServer([
            { connection in
                try connection.request()
                _ = try connection.frame()
                connection.beginChunks()
                try connection.sendFrame(.message(Self.created))
                let first: RunRequest = try connection.frame().message()
                let second: RunRequest = try connection.frame().message()
                #expect(first == .signal(2))
                #expect(second == .cancel)
                try connection.sendFrame(.message(RunEvent.finished(job)))
            }
        ])
        let stream = JobStream(server.pool, submitting: JobSpec(command: ["x"]))
        guard case .created = try await stream.next() else {
            Issue.record("not created first")
            return
        }
        try await stream.signal(2)
        try await stream.cancel()
        _ = try await Self.collect(stream)
        try await server.finish()
    }

    @Test(arguments: ["\u{0}\u{0}\u{0}\u{1}\u{9}x", "\u{7F}\u{7F}\u{7F}\u{7F}\u{1}"])
    func bytesThatAreNoFramesAreAnError(_ text: String) async throws {
        let server = try ScriptedServer([
            { connection in
                try connection.request()
                connection.beginChunks()
                connection.sendChunk(text)
                connection.endChunks()
            }
        ])
        let error = await #expect(throws: SandpoolError.self) {
            _ = try await Self.collect(JobStream(server.pool, submitting: JobSpec(command: ["x"])))
        }
        #expect(error?.code == "bad_answer")
        try await server.finish()
    }
}
