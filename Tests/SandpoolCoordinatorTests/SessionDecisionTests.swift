import SandpoolAPI
import SandpoolModel
import SandpoolStore
import Testing

@testable import SandpoolCoordinator

/// The pure decisions behind a session: what an inventory means, what silence means.
@Suite struct SessionDecisionTests {
    private static let moment = Timestamp(milliseconds: 1_700_000_000_000)
    private let worker = WorkerID.make(at: moment)

    private func live(_ state: AttemptState, rerun: RerunPolicy = .safe) -> LiveAttempt {
        var spec = JobSpec(command: ["true"])
        spec.rerun = rerun
        spec.timeoutSeconds = 100
        return LiveAttempt(
            lease: LeaseKey(attempt: .make(at: Self.moment), epoch: 1, worker: worker), job: .make(at: Self.moment),
            state: state, resources: .zero, spec: spec, createdAt: Self.moment, startedAt: nil,
            unreachableSince: nil, cancelRequested: false, bootID: "boot-1")
    }

    private func hello(
        _ held: [HeldAttempt], returned: [AttemptLease]? = nil, boot: String = "boot-1"
    ) -> WorkerHello {
        WorkerHello(
            id: worker, name: "w", bootID: boot, capacity: .zero, labels: [:], images: [], offersHostImage: true,
            held: held, softwareVersion: "1", returned: returned)
    }

    private func held(_ lease: AttemptLease, _ state: AttemptState = .running) -> HeldAttempt {
        HeldAttempt(lease: lease, state: state, stdoutBytes: 0, stderrBytes: 0)
    }

    @Test func whatBothHaveGoesOn() {
        let attempt = live(.leased)
        let result = Reconciliation(hello([held(AttemptLease(attempt.lease))]), live: [attempt])
        #expect(result.keep.map(\.lease) == [AttemptLease(attempt.lease)])
        #expect(result.kill.isEmpty && result.returned.isEmpty && result.lost.isEmpty)
    }

    @Test func anotherEpochIsKilled() {
        let attempt = live(.running)
        let stale = AttemptLease(attempt: attempt.lease.attempt, epoch: 7)
        let result = Reconciliation(hello([held(stale)]), live: [attempt])
        #expect(result.kill == [stale])
        #expect(result.lost.map(\.lease) == [attempt.lease])
    }

    @Test func whatALostFutureLeasedIsLeftAlone() {
        let future = LostFuture(
            databaseID: "x", backedUpAt: Self.moment, restoredAt: Self.moment.advanced(by: .seconds(60)))
        let stranger = AttemptLease(attempt: .make(at: Self.moment.advanced(by: .seconds(30))), epoch: 1)
        let later = AttemptLease(attempt: .make(at: Self.moment.advanced(by: .seconds(90))), epoch: 1)
        let gone = live(.leased)
        let result = Reconciliation(hello([held(stranger), held(later)]), live: [gone], lostFutures: [future])
        #expect(result.strangers == [stranger] && result.kill == [later])
        #expect(result.lost == [.workerLost(gone.lease, "the worker lost the attempt")])
        #expect(result.returned.isEmpty && result.keep.isEmpty)
    }

    /// Its worker is told what of its output is here. One that nobody waits for is answered, and that is all.
    @Test func anUnrecordedResultIsKeptWhereItIsWaitedFor() {
        let attempt = live(.running)
        let foreign = AttemptLease(attempt: .make(at: Self.moment), epoch: 1)
        let result = Reconciliation(
            hello([held(AttemptLease(attempt.lease), .finished), held(foreign, .finished)]), live: [attempt])
        #expect(result.keep.map(\.lease) == [AttemptLease(attempt.lease)])
        #expect(result.kill.isEmpty && result.returned.isEmpty && result.lost.isEmpty)
    }

    enum Fate: Sendable { case returned, neverBegan, lost }

    @Test(arguments: [
        (AttemptState.leased, true, Fate.returned), (.leased, false, .lost), (.preparing, true, .neverBegan),
        (.building, true, .neverBegan), (.preparing, false, .lost), (.running, true, .lost), (.running, false, .lost),
    ])
    func whatTheWorkerLacksMayHaveRunWhereItsHostRestartedOrItWasSaidToRun(
        state: AttemptState, isSameBoot: Bool, fate: Fate
    ) {
        let attempt = live(state)
        let result = Reconciliation(hello([], boot: isSameBoot ? "boot-1" : "boot-2"), live: [attempt])
        #expect(result.returned == (fate == .returned ? [attempt.lease] : []))
        #expect(result.lost.map(\.outcome.commandStarted) == (fate == .returned ? [] : [fate == .lost]))
    }

    /// A drain's word that was lost; said of a command that runs, or in another boot, it is not believed.
    @Test(arguments: [
        (AttemptState.preparing, "boot-1", true), (.building, "boot-1", true), (.running, "boot-1", false),
        (.preparing, "boot-2", false),
    ])
    func whatTheWorkerSaysToHaveGivenBackIsReturned(state: AttemptState, boot: String, isReturned: Bool) {
        let attempt = live(state)
        let hello = hello([], returned: [AttemptLease(attempt.lease)], boot: boot)
        #expect(Reconciliation(hello, live: [attempt]).returned == (isReturned ? [attempt.lease] : []))
    }

    // MARK: Silence

    private func running(_ rerun: RerunPolicy) -> RunningAttempt {
        let attempt = live(.running, rerun: rerun)
        return RunningAttempt(
            lease: attempt.lease, job: attempt.job, spec: attempt.spec, resources: .zero, state: .running, since: .zero)
    }

    @Test func silenceIsFlaggedOnceThenReplacesOrLoses() {
        var liveness = Liveness(timings: CoordinatorTimings())
        let (safe, unsafe) = (running(.safe), running(.never))
        var attempts = [safe, unsafe]
        _ = liveness.heard(worker, at: .zero)
        func judge(_ seconds: Int) -> [Liveness.Verdict] {
            liveness.judge(at: .seconds(seconds)) { _ in attempts }.verdicts
        }
        #expect(judge(34) == [])
        #expect(judge(35) == [.unreachable(worker)])
        #expect(judge(119) == [])
        #expect(judge(120) == [.replace(safe.lease)])
        attempts = [unsafe]
        #expect(judge(699) == [])
        #expect(judge(700) == [.lose(unsafe.lease)], "its timeout of 100 s and ten minutes")
    }

    @Test func aSignOfLifeStartsTheCountAgain() {
        var liveness = Liveness(timings: CoordinatorTimings())
        _ = liveness.heard(worker, at: .zero)
        _ = liveness.judge(at: .seconds(40)) { _ in [] }
        let wasFlagged = liveness.heard(worker, at: .seconds(41))
        #expect(wasFlagged)
        let (verdicts, next) = liveness.judge(at: .seconds(75)) { _ in [] }
        #expect(verdicts.isEmpty)
        #expect(next == .seconds(76))
    }
}
