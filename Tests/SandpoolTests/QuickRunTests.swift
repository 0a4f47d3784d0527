import LinuxSystem
import NIOCore
import SandpoolAPI
import SandpoolModel
import Synchronization
import Testing

@testable import Sandpool

@Suite(.timeLimit(.minutes(1))) struct QuickRunTests {
    private static let created = RunEvent.created(id: Job.fixtureID, name: nil)

    /// What was passed on as output.
    private final class Sink: Sendable {
        let text = Mutex("")
        /// Whether it takes anything.
        let isOpen: Bool

        init(isOpen: Bool = true) { self.isOpen = isOpen }

        func take(_ bytes: ByteBuffer) -> Bool {
            if isOpen { text.withLock { $0 += String(buffer: bytes) } }
            return isOpen
        }
    }

    private static func run(
        _ command: [String] = ["x"], against server: ScriptedServer, sink: Sink = Sink(), signals: Pipe? = nil
    ) throws -> QuickRun.Outcome {
        let quiet = try signals ?? Pipe()
        return try QuickRun.run(
            command, image: nil, blockNetwork: true, in: server.pool, signals: quiet.readEnd.raw,
            pass: { _, bytes in sink.take(bytes) })
    }

    private static func output(_ offset: Int64, _ text: String) -> Frame {
        .output(
            OutputFrame(
                id: Job.fixtureID.text, epoch: 0, stream: .stdout, offset: offset, bytes: ByteBuffer(string: text)))
    }

    @Test func submitsWhatTheOrdinaryClientWould() async throws {
        let command = ["echo", "a \"b\" \\ \u{1}\n\té€", ""]
        let job = try Job.fixture(.failed, returnCode: 7)
        let server = try ScriptedServer([
            { connection in
                #expect(try connection.request() == "POST /v1/run HTTP/1.1")
                let first: RunRequest = try connection.frame().message()
                var spec = JobSpec(command: command)
                spec.network.block = true
                spec.onDisconnect = .cancel
                #expect(first == .submit(spec))
                connection.beginChunks()
                try connection.sendFrame(.message(Self.created))
                try connection.sendFrame(.message(RunEvent.state(.running, note: nil)))
                try connection.sendFrame(Self.output(0, "abc"))
                try connection.sendFrame(.message(RunEvent.finished(job)))
            }
        ])
        let sink = Sink()
        let outcome = try Self.run(command, against: server, sink: sink)
        guard case .exited(7) = outcome else {
            Issue.record("it ended as \(outcome)")
            return
        }
        #expect(sink.text.withLock { $0 } == "abc")
        try await server.finish()
    }

    @Test func aRefusalIsLeftToTheOrdinaryClient() async throws {
        let server = try ScriptedServer([
            { connection in
                try connection.request()
                connection.answer("401 Unauthorized", #"{"error":{"code":"unauthorized","message":"no"}}"#)
                connection.closeInOrder()
            }
        ])
        guard case .declined = try Self.run(against: server) else {
            Issue.record("a refusal was taken for something else")
            return
        }
        try await server.finish()
    }

    @Test func aLossBeforeTheIdIsAnError() async throws {
        let server = try ScriptedServer([
            { connection in
                try connection.request()
                connection.beginChunks()
            }
        ])
        #expect(throws: SandpoolError.disconnected(server.pool.endpoint)) { _ = try Self.run(against: server) }
        try await server.finish()
    }

    @Test func aLossAfterTheIdGoesOnWhereItStood() async throws {
        let job = try Job.fixture(.succeeded, returnCode: 0)
        let server = try ScriptedServer([
            { connection in
                try connection.request()
                connection.beginChunks()
                try connection.sendFrame(.message(Self.created))
                try connection.sendFrame(Self.output(0, "abc"))
            },
            { connection in
                try connection.request()
                let first: RunRequest = try connection.frame().message()
                #expect(first == .follow(job: Job.fixtureID.text, stdout: 3, stderr: 0))
                connection.beginChunks()
                try connection.sendFrame(.message(RunEvent.finished(job)))
            },
        ])
        guard case .unfinished(let stream) = try Self.run(against: server) else {
            Issue.record("the loss was not noticed")
            return
        }
        guard case .finished(let ended) = try await stream.next() else {
            Issue.record("the stream did not go on")
            return
        }
        #expect(ended.returnCode == 0)
        try await server.finish()
    }

    @Test func outputThatCannotBeWrittenAtOnceIsAskedForAgain() async throws {
        let job = try Job.fixture(.succeeded, returnCode: 0)
        let server = try ScriptedServer([
            { connection in
                try connection.request()
                connection.beginChunks()
                try connection.sendFrame(.message(Self.created))
                try connection.sendFrame(Self.output(0, "abc"))
                connection.closeInOrder()
            },
            { connection in
                try connection.request()
                let first: RunRequest = try connection.frame().message()
                #expect(first == .follow(job: Job.fixtureID.text, stdout: 0, stderr: 0))
                connection.beginChunks()
                try connection.sendFrame(.message(RunEvent.finished(job)))
            },
        ])
        guard case .unfinished(let stream) = try Self.run(against: server, sink: Sink(isOpen: false)) else {
            Issue.record("output was lost")
            return
        }
        while try await stream.next() != nil {}
        try await server.finish()
    }

    @Test func aSignalHandsTheJobOn() async throws {
        let signals = try Pipe()
        let server = try ScriptedServer([
            { connection in
                try connection.request()
                connection.beginChunks()
                try signals.writeEnd.writeAll([2])
                try connection.sendFrame(.message(Self.created))
                try connection.sendFrame(.message(RunEvent.state(.running, note: nil)))
                connection.closeWhenLeft()
            }
        ])
        guard case .unfinished = try Self.run(against: server, signals: signals) else {
            Issue.record("the signal was not seen")
            return
        }
        try await server.finish()
    }

    @Test func threeSignalsLeaveACoordinatorThatDoesNotAnswer() async throws {
        let signals = try Pipe()
        let server = try ScriptedServer([
            { connection in
                try connection.request()
                _ = try connection.frame()
                try signals.writeEnd.writeAll([2, 2, 2])
                connection.closeWhenLeft()
            }
        ])
        guard case .left = try Self.run(against: server, signals: signals) else {
            Issue.record("it did not leave")
            return
        }
        try await server.finish()
    }

    @Test func aCoordinatorThatDoesNotAnswerIsNotWaitedForForEver() async throws {
        let server = try ScriptedServer([
            { connection in
                try connection.request()
                connection.closeWhenLeft()
            }
        ])
        let quiet = try Pipe()
        #expect(throws: SandpoolError.silent(server.pool.endpoint, seconds: 0)) {
            _ = try QuickRun.run(
                ["x"], image: nil, blockNetwork: true, in: server.pool, signals: quiet.readEnd.raw,
                answerPatienceMs: 50, pass: { _, _ in true })
        }
        try await server.finish()
    }

    @Test func anEndOfAnotherKindIsReadWhole() async throws {
        var timedOut = try Job.fixture(.timedOut, returnCode: 124)
        timedOut.cause = .timeout
        let job = timedOut
        let server = try ScriptedServer([
            { connection in
                try connection.request()
                connection.beginChunks()
                try connection.sendFrame(.message(Self.created))
                try connection.sendFrame(.message(RunEvent.finished(job)))
            }
        ])
        guard case .finished(let ended) = try Self.run(against: server) else {
            Issue.record("a timeout was taken for a plain exit")
            return
        }
        #expect(ended == job)
        try await server.finish()
    }
}
