import SandpoolAPI
import SandpoolModel
import SandpoolSandbox
import Testing

@testable import SandpoolWorker

/// What becomes of attempts when this process, the launcher or the host was away.
@Suite struct AdoptionStepTests {
    private static let id = Samples.attempt(1).text
    private static let lease = Samples.lease(1)

    private static func record(bootID: String = SteppedWorker.bootID) -> AttemptRecord {
        AttemptRecord(Samples.assignment(1), bootID: bootID, usesHostImage: false, layers: ["a"])
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
        // It was asked for, and the launcher does not have it: nobody knows whether it ran.
        #expect(worker.connectLauncher().journaled.map(\.result.outcome.commandStarted) == [true])
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
