import NIOCore
import SandpoolAPI
import SandpoolModel
import SandpoolSandbox
import Testing

@testable import SandpoolWorker

/// The session over real HTTP: what survives a lost connection, and what a verdict does.
@Suite(.timeLimit(.minutes(1))) struct SessionTests {
    private static let lease = Samples.lease(1)

    @Test func aResultIsRepeatedUntilItIsAnswered() async throws {
        try await RunningWorker.with { coordinator, launcher in
            let first = try await coordinator.session()
            #expect(try await first.welcome().held.isEmpty)
            try first.send(.assign([Samples.assignment(1)]))
            try await launcher.request { $0 == .start(id: Self.lease.attempt.text) }
            try launcher.exit(Self.lease.attempt, .exited(code: 7))
            let reported = try await first.results()
            #expect(reported.map(\.lease) == [Self.lease] && reported.first?.outcome.exitCode == 7)
            first.end()

            let second = try await coordinator.session()
            let hello = try await second.welcome()
            #expect(hello.makesDisks == false, "as its launcher says")
            #expect(hello.held.map(\.lease) == [Self.lease] && hello.held.first?.state == .finished)
            #expect(try await second.results() == reported, "the very same")
            second.end()

            let third = try await coordinator.session()
            _ = try await third.welcome()
            #expect(try await third.results() == reported)
            try third.send(.recorded([RecordedResult(lease: Self.lease, verdict: .recorded)]))
            try await launcher.request { $0 == .release(id: Self.lease.attempt.text) }
            third.end()
            #expect(try await coordinator.session().hello().held.isEmpty)
        }
    }

    @Test(arguments: [RecordedResult.Verdict.recorded, .duplicate, .fenced])
    func everyVerdictReleasesTheSandbox(verdict: RecordedResult.Verdict) async throws {
        try await RunningWorker.with { coordinator, launcher in
            let session = try await coordinator.session()
            _ = try await session.welcome()
            try session.send(.assign([Samples.assignment(1)]))
            try await launcher.request { $0 == .start(id: Self.lease.attempt.text) }
            try launcher.exit(Self.lease.attempt)
            _ = try await session.results()
            // A verdict on another epoch is not about this attempt.
            try session.send(.recorded([RecordedResult(lease: Samples.lease(1, epoch: 2), verdict: verdict)]))
            try session.send(.recorded([RecordedResult(lease: Self.lease, verdict: verdict)]))
            try await launcher.request { $0 == .release(id: Self.lease.attempt.text) }
            session.end()
            #expect(try await coordinator.session().hello().held.isEmpty)
        }
    }

    @Test func whatIsNotWantedAfterAReconnectionIsKilledWithoutAReport() async throws {
        try await RunningWorker.with { coordinator, launcher in
            let first = try await coordinator.session()
            _ = try await first.welcome()
            try first.send(.assign([Samples.assignment(1)]))
            try await launcher.request { $0 == .start(id: Self.lease.attempt.text) }
            first.end()
            let second = try await coordinator.session()
            #expect(try await second.welcome(kill: [Self.lease]).held.map(\.lease) == [Self.lease])
            try await launcher.request { $0 == .cancel(id: Self.lease.attempt.text, graceMs: 0) }
            try launcher.exit(Self.lease.attempt)
            try await launcher.request { $0 == .release(id: Self.lease.attempt.text) }
            second.end()
            #expect(try await coordinator.session().hello().held.isEmpty)
        }
    }

    /// Cut off for as long as it takes another attempt to get the job, it ends its own, and says so when it can.
    @Test func whatMayRunElsewhereIsEndedWhileTheCoordinatorIsSilent() async throws {
        try await RunningWorker.with { coordinator, launcher in
            let first = try await coordinator.session()
            _ = try await first.hello()
            try first.send(
                .welcome(
                    WorkerWelcome(
                        generation: 1, leaseSeconds: 60, heartbeatSeconds: 20, replaceSeconds: 1, keep: [], kill: [])))
            try first.send(
                .assign([Samples.assignment(1), Samples.assignment(2) { $0.rerun = .never }]))
            try await launcher.request { $0 == .start(id: Samples.attempt(2).text) }
            first.end()
            let second = try await coordinator.session()
            _ = try await second.hello()
            try await launcher.request { $0 == .cancel(id: Self.lease.attempt.text, graceMs: 0) }
            try launcher.exit(Self.lease.attempt, .killed)
            second.end()
            let third = try await coordinator.session()
            let held = try await third.welcome().held
            #expect(held.map(\.lease) == [Self.lease, Samples.lease(2)] && held.last?.state == .running)
            #expect(try await third.results().map(\.outcome.cause) == [.workerLost])
        }
    }

    // MARK: Output

    private static let output = Samples.output

    private func take(from offset: Int, to end: Int, of session: ServedSession) async throws {
        try await session.take(Self.lease.attempt.text, from: offset, to: end)
    }

    /// What cannot be read of one command's output ends that output, and nothing else of the worker.
    @Test func aSpoolThatCannotBeReadEndsItsOutputAlone() async throws {
        try await RunningWorker.with(stdout: [1, 2, 3]) { coordinator, launcher in
            let session = try await coordinator.session()
            _ = try await session.welcome()
            try session.send(.assign([Samples.assignment(1), Samples.assignment(2)]))
            for number in 1...2 { try await launcher.request { $0 == .start(id: Samples.attempt(number).text) } }
            // The spooler told of more than is in the file.
            try launcher.tellOutput(of: Self.lease.attempt, stdout: 2 << 20)
            try launcher.exit(Self.lease.attempt, .exited(code: 3), stdout: 2 << 20)
            let lost = try #require(try await session.results().first)
            #expect(lost.lease == Self.lease && lost.outcome.exitCode == 3 && lost.stdoutTail == nil)
            #expect(lost.outcome.message?.hasPrefix("stdout was lost from byte 0 on") == true)
            try session.send(.recorded([RecordedResult(lease: Self.lease, verdict: .recorded)]))
            try launcher.exit(Samples.attempt(2), stdout: 3)
            let whole = try #require(try await session.results().first)
            #expect(whole.lease == Samples.lease(2) && whole.outcome.message == nil)
            #expect(whole.stdoutTail?.offset == 0)
        }
    }

    @Test func outputStaysInItsWindowAndGoesOnFromWhatIsDurable() async throws {
        try await RunningWorker.with(stdout: Self.output) { coordinator, launcher in
            let window = Int(WorkerState.Limits.unacknowledgedBytes)
            let first = try await coordinator.session()
            _ = try await first.welcome()
            try first.send(.assign([Samples.assignment(1)]))
            try await launcher.request { $0 == .start(id: Self.lease.attempt.text) }
            try launcher.tellOutput(of: Self.lease.attempt, stdout: Self.output.count)
            try await take(from: 0, to: window, of: first)
            // The window is full: whatever comes next, it is no output.
            try first.send(.assign([Samples.assignment(2)]))
            try await launcher.request { $0 == .start(id: Samples.attempt(2).text) }
            try launcher.exit(Samples.attempt(2))
            #expect(try await first.results().map(\.lease) == [Samples.lease(2)])
            try first.send(.recorded([RecordedResult(lease: Samples.lease(2), verdict: .recorded)]))
            try first.send(.outputDurable(Self.lease, stdout: 1 << 20, stderr: 0))
            try await take(from: window, to: Self.output.count, of: first)
            first.end()

            // What was sent and did not become durable is sent again, and nothing else.
            let second = try await coordinator.session()
            let durable = HeldAttempt(lease: Self.lease, state: .running, stdoutBytes: 2 << 20, stderrBytes: 0)
            let held = try await second.welcome(keep: [durable]).held
            #expect(held.first?.stdoutBytes == Int64(Self.output.count))
            try await take(from: 2 << 20, to: Self.output.count, of: second)
            try launcher.exit(Self.lease.attempt, stdout: Self.output.count)
            let result = try #require(try await second.results().first)
            #expect(result.lease == Self.lease && result.stdoutTail == nil)
        }
    }
}
