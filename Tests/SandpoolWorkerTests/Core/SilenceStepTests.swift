import SandpoolAPI
import SandpoolModel
import SandpoolSandbox
import Testing

@testable import SandpoolWorker

/// The worker ends what may run again elsewhere before the coordinator replaces it, and nothing else.
@Suite struct SilenceStepTests {
    private let id = Samples.attempt(1).text
    private let lease = Samples.lease(1)
    /// Of 120 s, a twelfth is kept.
    private static let patienceMs: Int64 = 110_000

    enum Phase: CaseIterable, Sendable { case preparing, waiting, launching, running, reporting }

    private func worker(_ phase: Phase, _ rerun: RerunPolicy = .safe) -> SteppedWorker {
        var worker = SteppedWorker.ready()
        let root = PreparedRoot(root: .scratch, layers: [])
        if phase == .waiting { worker.step(.launcherGone) }
        worker.hear(.assign([Samples.assignment(1) { $0.rerun = rerun }]))
        if phase != .preparing { worker.step(.prepared(lease, root)) }
        if phase == .running || phase == .reporting { worker.start(1) }
        if phase == .reporting, let result = worker.exit(1).journaled.first?.result { worker.step(.journaled(result)) }
        return worker
    }

    @Test(arguments: Phase.allCases, [RerunPolicy.safe, .never])
    func whatMayRunElsewhereIsEndedBefore(phase: Phase, rerun: RerunPolicy) {
        var worker = worker(phase, rerun)
        worker.loseSession()
        let early = worker.step(.fired(.silence), afterMs: Self.patienceMs - 1)
        #expect(early.asked.isEmpty && early.journaled.isEmpty)
        let effects = worker.step(.fired(.silence), afterMs: 1)
        let isOver = phase == .reporting
        switch (rerun, phase) {
        case (.safe, .preparing), (.safe, .waiting):
            #expect(effects.journaled.map(\.result.outcome.cause) == [.workerLost])
            #expect(effects.journaled.map(\.result.outcome.commandStarted) == [false])
        case (.safe, .launching), (.safe, .running):
            #expect(effects == [.ask(.cancel(id: id, graceMs: 0))])
        default:
            #expect(effects == [])
        }
        #expect(worker.step(.fired(.silence)) == [], "twice")
        let hasEnded = isOver || effects.journaled.count == 1
        #expect(worker.state.inventory.map { $0.state == .finished } == [hasEnded])
    }

    /// The timer is set whenever there is something that it could end.
    @Test func theTimerIsSetWhileSomethingMayRunElsewhere() {
        var worker = SteppedWorker.ready()
        #expect(worker.assign(1) { $0.rerun = .never }.timers == [])
        #expect(worker.assign(2).contains(.wake(afterMs: Self.patienceMs, .silence)))
        #expect(worker.assign(3).timers == [], "once for all of them")
        worker.hear(.heartbeat(sentMs: worker.uptimeMs + 50_000), afterMs: 50_000)
        #expect(worker.step(.fired(.silence), afterMs: 60_000) == [.wake(afterMs: 50_000, .silence)])
    }

    /// Every moment counts at which the coordinator is known to have heard this worker, from when it was sent.
    @Test(arguments: [
        ("the hello", 0), ("a heartbeat", 8_000), ("a refused connection", 15_000),
    ] as [(String, Int64)])
    func silenceCountsFromWhatTheCoordinatorHeard(what: String, afterMs: Int64) {
        var worker = worker(.running)
        let begin = worker.uptimeMs
        switch what {
        case "a heartbeat": worker.hear(.heartbeat(sentMs: begin + afterMs), afterMs: 20_000)
        case "a refused connection":
            worker.loseSession()
            worker.step(.sessionOpens, afterMs: afterMs)
            worker.step(.coordinatorIsDown(session: worker.state.sessionNumber), afterMs: 10_000)
        default: break
        }
        worker.loseSession()
        let end = begin + afterMs + Self.patienceMs
        #expect(worker.step(.fired(.silence), afterMs: end - 1 - worker.uptimeMs).asked == [])
        #expect(worker.step(.fired(.silence), afterMs: 1).asked == [.cancel(id: id, graceMs: 0)])
    }

    @Test func aRefusedConnectionRenewsNoLease() {
        var worker = SteppedWorker.ready()
        worker.loseSession()
        worker.step(.sessionOpens, afterMs: 40_000)
        worker.step(.coordinatorIsDown(session: worker.state.sessionNumber))
        #expect(!worker.state.isLeaseValid)
    }

    @Test func eachRenewalIsKeptForTheNextProcess() {
        var worker = SteppedWorker()
        worker.connectLauncher()
        worker.step(.sessionOpens)
        let begin = worker.uptimeMs
        let first = Renewal(sentMs: begin, replaceMs: 120_000)
        #expect(worker.welcome(afterMs: 100).contains(.saveRenewal(first)) == false, "it began then")
        let second = Renewal(sentMs: begin + 150, replaceMs: 120_000)
        #expect(worker.hear(.heartbeat(sentMs: begin + 150), afterMs: 200) == [.saveRenewal(second)])
        #expect(worker.hear(.heartbeat(sentMs: begin + 150)) == [])
        #expect(worker.hear(.heartbeat(sentMs: begin + 120)) == [])
        #expect(worker.hear(.heartbeat(sentMs: .max)) == [])
    }

    /// The timer of a worker that is back was set before the coordinator said how long.
    @Test func aShorterPatienceMovesTheTimer() {
        let record = AttemptRecord(
            Samples.assignment(1), bootID: SteppedWorker.bootID, usesHostImage: false, layers: [])
        var worker = SteppedWorker(records: [record])
        worker.connectLauncher([(.adopted(id: id, startedBoottimeMs: 5), SpoolSizes())])
        #expect(worker.join(replaceSeconds: 12).contains(.wake(afterMs: 11_000, .silence)))
        #expect(worker.step(.fired(.silence), afterMs: 11_000).asked == [.cancel(id: id, graceMs: 0)])
    }

    /// A process that comes up in the middle of a silence counts on.
    @Test(arguments: [(nil, 50_000), (120_000, 50_000), (90_000, 22_500), (.min, 0)] as [(Int64?, Int64)])
    func silenceGoesOnOverARestart(replaceMs: Int64?, leftMs: Int64) {
        let record = AttemptRecord(
            Samples.assignment(1), bootID: SteppedWorker.bootID, usesHostImage: false, layers: [])
        let renewal = Renewal(sentMs: 940_000, replaceMs: replaceMs)
        var worker = SteppedWorker(records: [record], renewal: renewal, uptimeMs: 1_000_000)
        let effects = worker.connectLauncher([(.adopted(id: id, startedBoottimeMs: 5), SpoolSizes())])
        #expect(effects.contains(.wake(afterMs: leftMs, .silence)))
        #expect(worker.step(.fired(.silence), afterMs: leftMs) == [.ask(.cancel(id: id, graceMs: 0))])
    }

    @Test(arguments: [
        (12, 11_000), (120, 110_000), (nil, 110_000), (.nan, 917),
    ] as [(Double?, Int64)])
    func theCoordinatorSaysHowLong(replaceSeconds: Double?, patienceMs: Int64) {
        var worker = SteppedWorker()
        worker.connectLauncher()
        worker.join(replaceSeconds: replaceSeconds)
        #expect(worker.assign(1).contains(.wake(afterMs: patienceMs, .silence)))
    }

    /// How it ended is said as it was: by this worker only if it was.
    @Test(arguments: [
        ("cut off", Cause.workerLost), ("by itself", .exited), ("its user's cancel", .cancelled),
    ])
    func theResultSaysWhoEndedIt(how: String, cause: Cause) throws {
        var worker = worker(.running)
        if how == "its user's cancel" { worker.hear(.cancel(lease)) }
        worker.loseSession()
        worker.step(.fired(.silence), afterMs: Self.patienceMs)
        let effects =
            how == "by itself" ? worker.exit(1) : worker.exit(1, .killed, reason: .cancelled)
        let result = try #require(effects.journaled.first?.result)
        #expect(result.outcome.cause == cause)
        #expect(result.outcome.commandStarted)
        // It is reported as any other result, and goes when it is answered.
        worker.step(.journaled(result))
        worker.join()
        #expect(worker.sentResults() == [result])
        worker.hear(.recorded([RecordedResult(lease: lease, verdict: .fenced)]))
        #expect(worker.state.isAtRest)
    }

    @Test func aStartThatFailsAfterItsEndIsNoFailureOfTheHost() {
        var worker = worker(.launching)
        worker.loseSession()
        worker.step(.fired(.silence), afterMs: Self.patienceMs)
        let failure = SandboxFailure(stage: "clone", errno: 0, message: "cancelled", kind: .setup)
        let effects = worker.tell(.failed(id: id, failure: failure))
        #expect(effects.journaled.map(\.result.outcome.cause) == [.workerLost])
        #expect(effects.journaled.map(\.result.outcome.commandStarted) == [false])
    }

    /// The launcher was away when it was to end it.
    @Test func aLauncherThatIsBackIsAskedAgain() {
        var worker = worker(.running)
        worker.loseSession()
        worker.step(.launcherGone)
        #expect(worker.step(.fired(.silence), afterMs: Self.patienceMs) == [])
        let effects = worker.connectLauncher([(.adopted(id: id, startedBoottimeMs: 5), SpoolSizes())])
        #expect(effects.asked == [.cancel(id: id, graceMs: 0)])
    }
}
