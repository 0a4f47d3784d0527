import SandpoolAPI
import SandpoolModel
import SandpoolSandbox
import Testing

@testable import SandpoolWorker

/// What becomes of attempts when this process, the launcher or the host was away.
@Suite struct AdoptionStepTests {
    private static let id = Samples.attempt(1).text
    private static let lease = Samples.lease(1)

    private static func record(bootID: String = SteppedWorker.bootID, launcher: String? = nil) -> AttemptRecord {
        AttemptRecord(Samples.assignment(1), bootID: bootID, launcher: launcher, usesHostImage: false, layers: ["a"])
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var records: [AttemptRecord] = [record()]
        var results: [AttemptResult] = []
        var launcherHas: LauncherEvent?
        /// The state in the inventory; nil for not there.
        var state: AttemptState?
        var journaled: String?
        var asked: [LauncherRequest] = []
    }

    @Test(arguments: [
        Case(
            testDescription: "runs", launcherHas: .adopted(id: id, startedBoottimeMs: 5), state: .running),
        Case(testDescription: "is being started", launcherHas: .starting(id: id), state: .preparing),
        Case(
            testDescription: "ended with the launcher", state: .finished,
            journaled: "the launcher of this host ended, and its sandboxes with it"),
        Case(
            testDescription: "ended with the host", records: [record(bootID: "earlier")], state: .finished,
            journaled: "the host restarted while it ran"),
        Case(
            testDescription: "journaled, and the sandbox is there", results: [Samples.result(1)],
            launcherHas: .adopted(id: id, startedBoottimeMs: 5), state: .finished),
        Case(testDescription: "journaled, and the sandbox is gone", results: [Samples.result(1)], state: .finished),
        Case(
            testDescription: "journaled, and nothing else is left", records: [], results: [Samples.result(1)],
            state: .finished),
        Case(
            testDescription: "nobody knows it", records: [], launcherHas: .adopted(id: id, startedBoottimeMs: 5),
            asked: [.cancel(id: id, graceMs: 0)]),
        Case(
            testDescription: "nobody knows what is being started", records: [], launcherHas: .starting(id: id),
            asked: [.cancel(id: id, graceMs: 0)]),
    ])
    func aWorkerThatIsBackGoesOnFromWhatIsLeft(_ story: Case) {
        var worker = SteppedWorker(records: story.records, results: story.results)
        let effects = worker.connectLauncher(story.launcherHas.map { [($0, SpoolSizes(stdout: 9))] } ?? [])
        #expect(worker.state.inventory.map(\.state) == (story.state.map { [$0] } ?? []))
        #expect(effects.journaled.map(\.result.outcome.message) == (story.journaled.map { [$0] } ?? []))
        #expect(!effects.journaled.map(\.result.outcome.commandStarted).contains(false))
        #expect(effects.asked == story.asked)
        #expect(effects.contains(.useLayers(["a"])) == !story.records.isEmpty)
        worker.join(keep: worker.state.inventory)
        let answered = worker.sentResults().map { RecordedResult(lease: $0.lease, verdict: .recorded) }
        #expect(answered.count == story.results.count)
        worker.hear(.recorded(answered))
        #expect(worker.state.inventory.isEmpty == (story.state == nil || !story.results.isEmpty))
    }

    @Test func whatNobodyKnowsIsReleasedWhenItHasEnded() {
        var worker = SteppedWorker()
        worker.connectLauncher([(.adopted(id: Self.id, startedBoottimeMs: 5), SpoolSizes())])
        #expect(worker.exit(1, .killed, reason: .cancelled) == [.ask(.release(id: Self.id))])
    }

    /// Whatever the launcher had may have run, so nobody may say that it did not.
    @Test func anAdoptedCommandThatTheLauncherLosesCountsAsStarted() {
        var worker = SteppedWorker(records: [Self.record()])
        worker.connectLauncher([(.adopted(id: Self.id, startedBoottimeMs: 5), SpoolSizes())])
        worker.step(.launcherGone)
        #expect(worker.step(.launcherLost).journaled.map(\.result.outcome.commandStarted) == [true])
    }

    @Test func whatAnotherLauncherDoesNotListIsLost() {
        var worker = SteppedWorker(records: [Self.record()])
        worker.connectLauncher([(.starting(id: Self.id), nil)])
        worker.step(.launcherGone)
        #expect(worker.connectLauncher().journaled.map(\.result.outcome.cause) == [.workerLost])
    }

    @Test func whatWaitsForALauncherIsStartedByTheNext() {
        var worker = SteppedWorker.ready()
        worker.step(.launcherGone)
        #expect(worker.assign(1).started == [])
        #expect(worker.connectLauncher().started == [Samples.attempt(1)])
        worker.step(.launcherGone)
        // It was asked for, and another launcher does not have it: nobody knows whether it ran.
        #expect(worker.connectLauncher(instance: "j").journaled.map(\.result.outcome.commandStarted) == [true])
    }

    /// A launcher forgets nothing by itself, so one that lives and has nothing of an attempt never made its sandbox.
    @Test(arguments: [("i", "i", false), ("i", "j", true), (nil, "i", true)])
    func aWorkerKilledBeforeItAskedSaysThatNothingRan(recorded: String?, connected: String, isStarted: Bool) throws {
        var worker = SteppedWorker(records: [Self.record(launcher: recorded)])
        let outcome = try #require(worker.connectLauncher(instance: connected).journaled.first?.result.outcome)
        #expect(outcome == (isStarted ? .launcherLost(commandStarted: true) : .neverAsked))
        #expect(outcome.cause == .workerLost && outcome.isRetryable)
    }

    @Test func aHostThatRestartedRanItPerhapsWhateverItsLauncherSays() {
        var worker = SteppedWorker(records: [Self.record(bootID: "earlier", launcher: "i")])
        #expect(worker.connectLauncher(instance: "i").journaled.map(\.result.outcome) == [.hostRestarted])
    }

    /// The connection alone was lost, and what was on its way with it.
    @Test(arguments: [false, true])
    func whatTheSameLauncherDoesNotHaveNeverRanUnlessItSaidSo(isStarted: Bool) {
        var worker = SteppedWorker.ready()
        worker.assign(1)
        if isStarted { worker.start(1) }
        worker.step(.launcherGone)
        #expect(worker.connectLauncher().journaled.map(\.result.outcome.commandStarted) == [isStarted])
    }

    @Test func theRecordNamesTheLauncherThatIsAsked() {
        var worker = SteppedWorker()
        worker.connectLauncher(instance: "k")
        worker.join()
        let launchers: [String?] = worker.assign(1).compactMap {
            if case .start(let record, _, _) = $0 { record.launcher } else { nil }
        }
        #expect(launchers == ["k"])
    }

    /// The spooler's word has its own way, and may overtake the launcher's with the spools, which then come no more.
    @Test func outputThatNobodyCanReadHoldsNoResultBack() throws {
        var worker = SteppedWorker.ready()
        worker.assign(1)
        worker.step(.spoolsGrew(Samples.attempt(1), stdout: 5, stderr: 0))
        worker.step(.launcherGone)
        let entry = try #require(worker.connectLauncher().journaled.first)
        #expect(entry.stdout == nil)
        worker.step(.journaled(entry.result))
        #expect(worker.sentResults() == [entry.result])
    }

    /// What is asked for before the end of the list is not in it, and is not lost.
    @Test func nothingIsStartedWhileTheLauncherLists() {
        var worker = SteppedWorker.ready()
        worker.step(.launcherGone)
        worker.step(.launcherConnected)
        #expect(worker.assign(1).started == [])
        let listed = worker.tell(.layers([]))
        #expect(listed.started == [Samples.attempt(1)])
        #expect(listed.journaled.isEmpty)
    }

    @Test func outputOfAnAdoptedAttemptGoesOnWhereTheCoordinatorIs() {
        var worker = SteppedWorker(records: [Self.record()])
        worker.connectLauncher([(.adopted(id: Self.id, startedBoottimeMs: 5), SpoolSizes(stdout: 90, stderr: 7))])
        worker.join(keep: [HeldAttempt(lease: Self.lease, state: .running, stdoutBytes: 50, stderrBytes: 7)])
        #expect(worker.state.takeOutbound().contains(.output(Self.lease, .stdout, offset: 50, count: 40)))
    }

    /// The bytes from the tail on are in the result, so no frame carries them.
    @Test func anAdoptedResultKeepsItsTail() {
        var result = Samples.result(1)
        result.stdoutTail = OutputTail(offset: 60, base64: "AAAA")
        var worker = SteppedWorker(records: [Self.record()], results: [result])
        worker.connectLauncher([
            (.adopted(id: Self.id, startedBoottimeMs: 5), SpoolSizes(stdout: 63)),
            (.exited(id: Self.id, report: ExitReport(end: .exited(code: 1), reason: .none, stdoutBytes: 63)), nil),
        ])
        worker.join(keep: worker.state.inventory.map { held in
            HeldAttempt(lease: held.lease, state: held.state, stdoutBytes: 0, stderrBytes: 0)
        })
        let items: [WorkerState.Item] = [
            .output(Self.lease, .stdout, offset: 0, count: 60), .message(.results([result])),
        ]
        #expect(worker.state.takeOutbound() == items)
    }
}
