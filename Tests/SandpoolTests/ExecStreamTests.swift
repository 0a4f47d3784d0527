import NIOCore
import SandpoolAPI
import SandpoolModel
import Testing

@testable import Sandpool

/// The client's side of an exec, against a server that does what a test says.
@Suite(.timeLimit(.minutes(1))) struct ExecStreamTests {
    private static let exec = ExecID.make(at: Timestamp(milliseconds: 1_700_000_000_000))

    private static func output(_ offset: Int64, _ bytes: ByteBuffer, _ stream: OutputStreamCode = .stdout) -> Frame {
        .output(OutputFrame(id: exec.text, epoch: 0, stream: stream, offset: offset, bytes: bytes))
    }

    private static func begin(_ connection: ScriptedConnection, _ spec: ExecSpec) throws {
        #expect(try connection.request() == "POST /v1/jobs/box/exec HTTP/1.1")
        #expect(try connection.frame().message(as: ExecSpec.self) == spec)
        connection.beginChunks()
        try connection.sendFrame(.message(ExecEvent.created(id: exec, job: Job.fixtureID)))
        try connection.sendFrame(.message(ExecEvent.started))
    }

    private static let exited = ExecEnd(Outcome(cause: .exited, exitCode: 3))

    private static func process(_ server: ScriptedServer, _ spec: ExecSpec) async throws -> SandboxProcess {
        let stream = ExecStream(server.pool, job: "box", spec)
        try await stream.open()
        return SandboxProcess(stream)
    }

    @Test func streamsComeApartAndTheCodeIsTheCommands() async throws {
        var spec = ExecSpec(command: ["ls"])
        spec.environment = ["A": "b"]
        let wanted = spec
        let server = try ScriptedServer([
            { connection in
                try Self.begin(connection, wanted)
                try connection.sendFrame(Self.output(0, ByteBuffer(string: "one\ntw")))
                try connection.sendFrame(Self.output(0, ByteBuffer(string: "warning"), .stderr))
                try connection.sendFrame(Self.output(6, ByteBuffer(string: "o")))
                try connection.sendFrame(.message(ExecEvent.ended(Self.exited)))
                connection.closeInOrder()
            }
        ])
        let process = try await Self.process(server, spec)
        #expect(try await process.wait() == 3 && process.returnCode == 3)
        var lines: [String] = []
        for try await line in process.stdout.lines { lines.append(line) }
        #expect(lines == ["one", "two"])
        #expect(try await process.stderr.readText() == "warning")
        #expect(try await process.stdout.readAll().isEmpty, "it was read")
        try await server.finish()
    }

    @Test func inputGoesInOrderAndWaitsForItsWindow() async throws {
        var spec = ExecSpec(command: ["cat"])
        spec.stdin = .stream
        let wanted = spec
        let total = 3 << 20
        let server = try ScriptedServer([
            { connection in
                try Self.begin(connection, wanted)
                var (received, consumed) = (Int64(0), Int64(0))
                while true {
                    guard case .input(let input) = try connection.frame() else { continue }
                    #expect(input.offset == received && input.id == Self.exec.text)
                    received += Int64(input.bytes.readableBytes)
                    #expect(received - consumed <= InputWindow.limit)
                    if input.isLast { break }
                    consumed = received
                    try connection.sendFrame(.message(ExecEvent.inputConsumed(consumed)))
                }
                #expect(received == Int64(total))
                try connection.sendFrame(.message(ExecEvent.ended(Self.exited)))
                connection.closeInOrder()
            }
        ])
        let process = try await Self.process(server, spec)
        try await process.stdin.write([UInt8](repeating: 7, count: total))
        try await process.stdin.drain()
        try await process.stdin.finish()
        #expect(try await process.wait() == 3)
        let error = await #expect(throws: SandpoolError.self) { try await process.stdin.write("late") }
        #expect(error?.code == "input_closed")
        try await server.finish()
    }

    @Test func signalsAndTerminationAreSent() async throws {
        let spec = ExecSpec(command: ["sleep", "9"])
        let server = try ScriptedServer([
            { connection in
                try Self.begin(connection, spec)
                #expect(try connection.frame().message(as: ExecControl.self) == .signal(10))
                #expect(try connection.frame().message(as: ExecControl.self) == .cancel)
                try connection.sendFrame(.message(ExecEvent.ended(ExecEnd(Outcome(cause: .cancelled, signal: 15)))))
                connection.closeInOrder()
            }
        ])
        let process = try await Self.process(server, spec)
        try await process.signal(10)
        try await process.terminate()
        #expect(try await process.wait() == 137)
        try await server.finish()
    }

    @Test(arguments: [
        ("404 Not Found", "not_found", 404), ("409 Conflict", "not_running", 409), ("422 X", "invalid_spec", 422),
    ])
    func aRefusalIsThrownBeforeAnythingRuns(status: String, code: String, number: Int) async throws {
        let server = try ScriptedServer([
            { connection in
                try connection.request()
                connection.answer(status, #"{"error":{"code":"\#(code)","message":"m"}}"#)
                connection.closeInOrder()
            }
        ])
        let stream = ExecStream(server.pool, job: "box", ExecSpec(command: ["ls"]))
        let error = await #expect(throws: SandpoolError.self) { try await stream.open() }
        #expect(error?.code == code && error?.status == number)
        try await server.finish()
    }

    /// It is not asked for ever, and nothing of it stays open: a follower would hold the job.
    @Test func aCoordinatorThatContradictsItselfIsAskedForAWhile() async throws {
        let job = try Job.fixture(.running, returnCode: nil)
        let server = try ScriptedServer([
            { connection in
                try connection.request()
                connection.answer("409 Conflict", #"{"error":{"code":"\#(APIError.startingCode)","message":"m"}}"#)
                connection.closeInOrder()
            },
            { connection in
                let line = try connection.request()
                #expect(line == "GET /v1/jobs/box HTTP/1.1")
                connection.answer("200 OK", job.json)
                connection.closeInOrder()
            },
            { connection in
                #expect(try connection.request() == "POST /v1/run HTTP/1.1")
                connection.beginChunks()
                try connection.sendFrame(.message(RunEvent.created(id: job.id, name: nil)))
                try connection.sendFrame(.message(RunEvent.state(.running, note: nil, attempt: nil)))
                connection.closeWhenLeft()
            },
        ])
        let spec = ExecSpec(command: ["ls"])
        let error = await #expect(throws: SandpoolError.self) {
            _ = try await server.pool.exec(in: "box", spec, waitsInQueue: false, patience: .zero)
        }
        #expect(error?.code == APIError.startingCode && error?.status == 409)
        #expect(error?.message.contains("\(job.id) runs") ?? false)
        try await server.finish()
    }

    /// Nothing is asked for twice: what it did before is not known.
    @Test func aLostConnectionIsTheEnd() async throws {
        let spec = ExecSpec(command: ["ls"])
        let server = try ScriptedServer([
            { connection in
                try Self.begin(connection, spec)
                try connection.sendFrame(Self.output(0, ByteBuffer(string: "before")))
            }
        ])
        let process = try await Self.process(server, spec)
        let error = await #expect(throws: SandpoolError.self) { try await process.wait() }
        #expect(error?.code == "disconnected" && process.returnCode == nil)
        let lost = await #expect(throws: SandpoolError.self) { try await process.stdout.readText() }
        #expect(lost?.code == "disconnected", "what came before the loss is not all of it")
        try await server.finish()
    }

    @Test(arguments: [
        ExecEvent.failed(APIError(status: 0, code: "exec_lost", message: "m")),
        .ended(ExecEnd(Outcome(cause: .workerLost, message: "m"))),
    ])
    func whatHasNoCodeIsAnError(event: ExecEvent) async throws {
        let spec = ExecSpec(command: ["ls"])
        let server = try ScriptedServer([
            { connection in
                try Self.begin(connection, spec)
                try connection.sendFrame(.message(event))
                connection.closeInOrder()
            }
        ])
        let process = try await Self.process(server, spec)
        let error = await #expect(throws: SandpoolError.self) { try await process.wait() }
        #expect(error?.message == "m" && ["exec_lost", "worker_lost"].contains(error?.code))
        try await server.finish()
    }

    /// A handle that nobody holds closes its connection; its output alone keeps it open.
    @Test func theConnectionGoesWithTheLastHandle() async throws {
        let spec = ExecSpec(command: ["yes"])
        let server = try ScriptedServer([
            { connection in
                try Self.begin(connection, spec)
                try connection.sendFrame(Self.output(0, ByteBuffer(string: "y\n")))
                connection.closeWhenLeft()
            }
        ])
        do {
            let output = try await Self.process(server, spec).stdout
            for try await line in output.lines where line == "y" { break }
        }
        try await server.finish()
    }

    /// What nobody reads fills a bound and no more; whoever comes late gets all of it.
    @Test func whatIsNotReadHoldsTheSenderUp() async throws {
        let output = LiveOutput()
        let piece = ByteBuffer(repeating: 1, count: LiveOutput.limit)
        let adding = Task {
            for _ in 0..<3 { await output.add(piece) }
            output.finish(.success(()))
        }
        var bytes = 0
        while let next = try await output.next() {
            #expect(next.readableBytes <= LiveOutput.limit)
            bytes += next.readableBytes
        }
        #expect(bytes == 3 * LiveOutput.limit)
        await adding.value
        let blocked = Task { for _ in 0..<3 { await LiveOutput().add(piece) } }
        blocked.cancel()
        await blocked.value
    }

    @Test func readersBesideEachOtherShareWhatComes() async throws {
        let output = LiveOutput()
        let read = { @Sendable in
            var bytes = 0
            while let next = try await output.next() { bytes += next.readableBytes }
            return bytes
        }
        async let first = read()
        async let second = read()
        for _ in 0..<1_000 { await output.add(ByteBuffer(repeating: 1, count: 10)) }
        output.finish(.success(()))
        #expect(try await first + second == 10_000)
    }
}
