import Glibc
import LinuxSystem
import NIOCore
import SandpoolAPI
import SandpoolModel
import SandpoolSandbox
import Testing

@testable import SandpoolWorker

/// Further commands over real HTTP and a real socket, with the coordinator and the launcher played by hand.
@Suite(.timeLimit(.minutes(1))) struct ExecSessionTests {
    private static let lease = Samples.lease(1)

    private static func exec(
        _ number: Int, _ command: [String] = ["ls"], lease: AttemptLease = lease,
        _ edit: (inout ExecSpec) -> Void = { _ in }
    ) -> ExecAssignment {
        var spec = ExecSpec(command: command)
        edit(&spec)
        return ExecAssignment(id: Samples.exec(number), lease: lease, spec: spec)
    }

    /// A session on which the attempt runs.
    private static func running(
        _ coordinator: TestCoordinator, _ launcher: FakeLauncher
    ) async throws -> ServedSession {
        let session = try await coordinator.session()
        _ = try await session.welcome()
        try session.send(.assign([Samples.assignment(1) { $0.resources.outputBytes = 8 << 20 }]))
        try await launcher.request { $0 == .start(id: lease.attempt.text) }
        try await session.message { message -> Void? in
            if case .progress(let steps) = message, steps.contains(where: { $0.state == .running }) { () } else { nil }
        }
        return session
    }

    private static func asked(_ exec: ExecAssignment) -> (LauncherRequest) -> Bool {
        { $0 == .exec(id: exec.id.text, sandbox: exec.lease.attempt.text) }
    }

    private static func end(_ exec: ExecAssignment, _ session: ServedSession) async throws -> ExecResult {
        try await session.message { message in
            if case .execEnded(let result) = message, result.id == exec.id { result } else { nil }
        }
    }

    @Test func thePlanIsTheJobsWithItsOwn() async throws {
        try await RunningWorker.with { coordinator, launcher in
            let session = try await Self.running(coordinator, launcher)
            let plain = Self.exec(1)
            let own = Self.exec(2, ["sh", "-c", "x"]) { spec in
                spec.environment = ["A": "b", "PATH": "/own"]
                spec.workingDirectory = "/w"
                spec.user = "7"
                spec.timeoutSeconds = 1.5
                spec.stdin = .stream
            }
            for exec in [plain, own] {
                try session.send(.exec(exec))
                try await launcher.request(Self.asked(exec))
            }
            let plans = launcher.plans.withLockedValue { $0 }
            let job = "SANDPOOL_JOB_ID=\(Samples.job(1).text)"
            #expect(
                plans[plain.id.text]
                    == ExecPlan(
                        id: plain.id.text, arguments: ["ls"],
                        environment: ["HOME=/root", "PATH=\(PlanBuilder.Defaults.path)", job], workingDirectory: "/",
                        user: "0", stdin: .none, timeoutMs: 0, graceMs: 10_000, outputBytes: 8 << 20,
                        backlogBytes: 64 << 20))
            #expect(
                plans[own.id.text]
                    == ExecPlan(
                        id: own.id.text, arguments: ["sh", "-c", "x"], environment: ["A=b", "PATH=/own", job],
                        workingDirectory: "/w", user: "7", stdin: .pipe, timeoutMs: 1_500, graceMs: 10_000,
                        outputBytes: 8 << 20, backlogBytes: 64 << 20))
        }
    }

    @Test func outputKeepsToTheClientsWindowAndTheJobsAreNotHeldUp() async throws {
        try await RunningWorker.with(stdout: Samples.output) { coordinator, launcher in
            let session = try await Self.running(coordinator, launcher)
            let (exec, window) = (Self.exec(1), Int(ExecAssignment.outputWindow))
            try session.send(.exec(exec))
            try await launcher.request(Self.asked(exec))
            try launcher.tellOutput(of: exec.id, stdout: Samples.output.count)
            #expect(try await session.message { $0 == .execStarted(exec.id) ? true : nil })
            try await session.take(exec.id.text, from: 0, to: window)
            // The window is full. Whatever comes next, it is none of the exec's output.
            try launcher.tellOutput(of: Self.lease.attempt, stdout: 1 << 20)
            try await session.take(Self.lease.attempt.text, from: 0, to: 1 << 20)
            try launcher.exit(exec.id, .exited(code: 3), stdout: Samples.output.count)
            var position = window
            while position < Samples.output.count {
                try session.send(.execOutputTaken(exec.id, stdout: Int64(position), stderr: 0))
                let next = min(position + window, Samples.output.count)
                try await session.take(exec.id.text, from: position, to: next)
                position = next
            }
            let end = try await Self.end(exec, session)
            #expect(end.outcome.cause == .exited && end.outcome.exitCode == 3)
            #expect(end.stdoutBytes == Int64(Samples.output.count) && end.stderrBytes == 0)
            try await launcher.request { $0 == .release(id: exec.id.text) }
            // The attempt goes on, with its own output.
            try launcher.exit(Self.lease.attempt, stdout: 1 << 20)
            #expect(try await session.results().first?.outcome.exitCode == 0)
        }
    }

    @Test func whatNobodyReadsAfterTheEndIsDropped() async throws {
        try await RunningWorker.with(stdout: Samples.output, execPatienceMs: 20) { coordinator, launcher in
            let session = try await Self.running(coordinator, launcher)
            let (exec, window) = (Self.exec(1), Int(ExecAssignment.outputWindow))
            try session.send(.exec(exec))
            try await launcher.request(Self.asked(exec))
            try launcher.exit(exec.id, .exited(code: 0), stdout: Samples.output.count)
            try await session.take(exec.id.text, from: 0, to: window)
            let end = try await Self.end(exec, session)
            #expect(end.outcome.cause == .cancelled && end.outcome.returnCode != 0)
            #expect(end.stdoutBytes == Int64(window), "what was sent is whole")
            try await launcher.request { $0 == .release(id: exec.id.text) }
        }
    }

    @Test func itsOutputHasTheJobsLimit() async throws {
        try await RunningWorker.with { coordinator, launcher in
            let session = try await coordinator.session()
            _ = try await session.welcome()
            try session.send(.assign([Samples.assignment(1) { $0.resources.outputBytes = 1 << 40 }]))
            try await session.message { message -> Void? in
                if case .progress(let steps) = message, steps.contains(where: { $0.state == .running }) {
                    ()
                } else {
                    nil
                }
            }
            let exec = Self.exec(1)
            try session.send(.exec(exec))
            try await launcher.request(Self.asked(exec))
            let plan = launcher.plans.withLockedValue { $0[exec.id.text] }
            #expect(plan?.outputBytes == 1 << 40 && plan?.backlogBytes == PlanBuilder.Defaults.execBacklogBytes)
        }
    }

    @Test func inputSignalsAndCancelReachTheCommand() async throws {
        try await RunningWorker.with { coordinator, launcher in
            let session = try await Self.running(coordinator, launcher)
            let exec = Self.exec(1) { $0.stdin = .stream }
            try session.send(.exec(exec))
            try session.send(
                .input(
                    InputFrame(
                        id: exec.id.text, epoch: 1, offset: 0, isLast: true, bytes: ByteBuffer(string: "hello"))))
            try await launcher.request { $0 == .closeInput(id: exec.id.text) }
            let pipe = try #require(launcher.inputs.withLockedValue { $0[exec.id.text] })
            #expect(try pipe.readAll(limit: 64) == Array("hello".utf8))
            #expect(
                try await session.message { message -> Int64? in
                    if case .execInputConsumed(exec.id, let offset) = message { offset } else { nil }
                } == 5)
            try session.send(.execSignal(exec.id, signal: 2))
            try await launcher.request { $0 == .signal(id: exec.id.text, signal: 2) }
            try session.send(.execCancel(exec.id))
            try await launcher.request { $0 == .cancel(id: exec.id.text, graceMs: 10_000) }
        }
    }

    @Test func aCommandThatIsNotThereIs127() async throws {
        try await RunningWorker.with { coordinator, launcher in
            let session = try await Self.running(coordinator, launcher)
            let exec = Self.exec(1, ["nowhere"])
            try session.send(.exec(exec))
            let end = try await Self.end(exec, session)
            #expect(end.outcome.returnCode == 127 && end.outcome.message == "nowhere: command not found")
            #expect(!end.outcome.commandStarted)
        }
    }

    @Test func whatCannotRunHereIsRefusedAndWhatIsSaidTwiceIsNot() async throws {
        try await RunningWorker.with { coordinator, launcher in
            let session = try await Self.running(coordinator, launcher)
            for lease in [Samples.lease(1, epoch: 2), Samples.lease(2)] {
                let exec = Self.exec(99, lease: lease)
                try session.send(.exec(exec))
                let end = try await Self.end(exec, session)
                #expect(end.outcome.cause == .setupFailed && end.outcome.returnCode == nil)
            }
            let execs = (1...ExecAssignment.perJob).map { Self.exec($0) }
            for exec in execs {
                try session.send(.exec(exec))
                try session.send(.exec(exec))
                try await launcher.request(Self.asked(exec))
            }
            let more = Self.exec(ExecAssignment.perJob + 1)
            try session.send(.exec(more))
            #expect(try await Self.end(more, session).outcome.message?.contains("try again") == true)
            // Those of nobody change nothing.
            for message in [
                .execSignal(more.id, signal: 9), .execCancel(more.id), .execLeave(more.id),
                .execOutputTaken(more.id, stdout: 9, stderr: 9), .execOutputTaken(execs[0].id, stdout: 9, stderr: 0),
            ] as [CoordinatorMessage] { try session.send(message) }
            try session.send(
                .input(InputFrame(id: execs[0].id.text, epoch: 9, offset: 0, isLast: true, bytes: ByteBuffer())))
            for exec in execs {
                try launcher.exit(exec.id)
                #expect(try await Self.end(exec, session).outcome.exitCode == 0)
            }
        }
    }

    /// With what the client took and nothing else, place in the spool is given back.
    @Test func theSpoolerIsToldWhatTheClientTook() async throws {
        try await RunningWorker.with(stdout: Samples.output) { coordinator, launcher in
            let session = try await Self.running(coordinator, launcher)
            let exec = Self.exec(1)
            try session.send(.exec(exec))
            try await launcher.request(Self.asked(exec))
            try launcher.tellOutput(of: exec.id, stdout: Samples.output.count)
            let window = Int(ExecAssignment.outputWindow)
            for turn in 0..<2 {
                try await session.take(exec.id.text, from: turn * window, to: (turn + 1) * window)
                try session.send(.execOutputTaken(exec.id, stdout: Int64((turn + 1) * window), stderr: 0))
            }
            // Not for each window.
            let id = exec.id.text
            #expect(try await launcher.toldRead() == SpoolProgress(id: id, stdoutBytes: 1 << 20, stderrBytes: 0))
            // One that is left needs nothing of it any more, whatever comes.
            try session.send(.execLeave(exec.id))
            let all = UInt64(Samples.output.count)
            #expect(try await launcher.toldRead() == SpoolProgress(id: id, stdoutBytes: all, stderrBytes: 0))
            try launcher.tellOutput(of: exec.id, stdout: Samples.output.count + 1)
            #expect(try await launcher.toldRead() == SpoolProgress(id: id, stdoutBytes: all + 1, stderrBytes: 0))
        }
    }

    @Test func oneThatIsLeftIsEndedWithoutItsOutput() async throws {
        try await RunningWorker.with(stdout: Samples.output) { coordinator, launcher in
            let session = try await Self.running(coordinator, launcher)
            let exec = Self.exec(1)
            try session.send(.exec(exec))
            try await launcher.request(Self.asked(exec))
            try launcher.tellOutput(of: exec.id, stdout: Samples.output.count)
            try await session.take(exec.id.text, from: 0, to: Int(ExecAssignment.outputWindow))
            try session.send(.execLeave(exec.id))
            try await launcher.request { $0 == .cancel(id: exec.id.text, graceMs: 10_000) }
            try launcher.exit(exec.id, .signaled(signal: 15), stdout: Samples.output.count)
            let isEnd = { (frame: Frame) throws -> Bool in
                guard case .json = frame, case .execEnded(let end) = try frame.checkedMessage(as: WorkerMessage.self)
                else { return false }
                return end.id == exec.id
            }
            while true {
                let frame = try await session.frame()
                if case .output(let output) = frame { #expect(output.id != exec.id.text) }
                if try isEnd(frame) { break }
            }
            try await launcher.request { $0 == .release(id: exec.id.text) }
        }
    }

    @Test func anExecEndsWithTheSessionThatAskedForIt() async throws {
        try await RunningWorker.with { coordinator, launcher in
            let first = try await Self.running(coordinator, launcher)
            let exec = Self.exec(1)
            try first.send(.exec(exec))
            try await launcher.request(Self.asked(exec))
            first.end()
            try await launcher.request { $0 == .cancel(id: exec.id.text, graceMs: 10_000) }
            let second = try await coordinator.session()
            let held = HeldAttempt(lease: Self.lease, state: .running, stdoutBytes: 0, stderrBytes: 0)
            _ = try await second.welcome(keep: [held])
            try launcher.exit(exec.id, .signaled(signal: 15))
            try await launcher.request { $0 == .release(id: exec.id.text) }
            // The attempt goes on, and takes the next one.
            let next = Self.exec(2)
            try second.send(.exec(next))
            try await launcher.request(Self.asked(next))
            try launcher.exit(next.id)
            let end: ExecResult = try await second.message { message in
                if case .execEnded(let result) = message { result } else { nil }
            }
            #expect(end.id == next.id, "of the first one nothing is told")
        }
    }

    /// Nobody reaped it: an end by force, without a code of its own.
    @Test func oneThatGoesWithItsSandboxSaysSo() async throws {
        try await RunningWorker.with { coordinator, launcher in
            let session = try await Self.running(coordinator, launcher)
            let exec = Self.exec(1)
            try session.send(.exec(exec))
            try await launcher.request(Self.asked(exec))
            try launcher.exit(exec.id, .killed)
            try launcher.exit(Self.lease.attempt)
            let end = try await Self.end(exec, session).outcome
            #expect(end.cause == .cancelled && end.exitCode == nil && end.returnCode == 137)
            #expect(end.message == "the job ended while the command ran, and its sandbox with it")
        }
    }

    @Test func aLauncherThatIsGoneTakesItAlong() async throws {
        try await RunningWorker.with(stdout: Samples.output) { coordinator, launcher in
            let session = try await Self.running(coordinator, launcher)
            let exec = Self.exec(1)
            try session.send(.exec(exec))
            try await launcher.request(Self.asked(exec))
            try launcher.tellOutput(of: exec.id, stdout: 100_000)
            try await session.take(exec.id.text, from: 0, to: 100_000)
            launcher.hangUp()
            let end = try await Self.end(exec, session)
            #expect(end.outcome.cause == .workerLost && end.stdoutBytes == 100_000)
        }
    }
}
