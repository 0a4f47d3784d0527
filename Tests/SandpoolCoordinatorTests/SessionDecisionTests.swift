import NIOCore
import SandpoolAPI
import SandpoolModel
import SandpoolStore
import Testing

@testable import SandpoolCoordinator

/// The pure decisions behind a session: what an inventory means, what silence means, what input is sent.
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
            unreachableSince: nil, cancelRequested: false)
    }

    private func held(_ lease: AttemptLease, _ state: AttemptState = .running) -> HeldAttempt {
        HeldAttempt(lease: lease, state: state, stdoutBytes: 0, stderrBytes: 0)
    }

    @Test func whatBothHaveGoesOn() {
        let attempt = live(.leased)
        let result = Reconciliation(held: [held(AttemptLease(attempt.lease))], live: [attempt], isSameBoot: true)
        #expect(result.keep.map(\.lease) == [AttemptLease(attempt.lease)])
        #expect(result.kill.isEmpty && result.returned.isEmpty && result.lost.isEmpty)
    }

    @Test func anotherEpochIsKilled() {
        let attempt = live(.running)
        let stale = AttemptLease(attempt: attempt.lease.attempt, epoch: 7)
        let result = Reconciliation(held: [held(stale)], live: [attempt], isSameBoot: true)
        #expect(result.kill == [stale])
        #expect(result.lost == [attempt.lease])
    }

    @Test func anUnrecordedResultIsNeitherKeptNorKilledNorLost() {
        let attempt = live(.running)
        let foreign = AttemptLease(attempt: .make(at: Self.moment), epoch: 1)
        let result = Reconciliation(
            held: [held(AttemptLease(attempt.lease), .finished), held(foreign, .finished)], live: [attempt],
            isSameBoot: true)
        #expect(result.keep.isEmpty && result.kill.isEmpty && result.returned.isEmpty && result.lost.isEmpty)
    }

    @Test(arguments: [
        (AttemptState.leased, true, true), (.leased, false, false), (.preparing, true, false), (.running, true, false),
    ])
    func whatTheWorkerLacksIsReturnedOnlyWhereItNeverBegan(state: AttemptState, isSameBoot: Bool, isReturned: Bool) {
        let attempt = live(state)
        let result = Reconciliation(held: [], live: [attempt], isSameBoot: isSameBoot)
        #expect(result.returned == (isReturned ? [attempt.lease] : []))
        #expect(result.lost == (isReturned ? [] : [attempt.lease]))
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

    // MARK: Input

    private func input(_ offset: Int64, _ bytes: Int, isLast: Bool = false) -> InputFrame {
        InputFrame(
            id: "sb-1", epoch: 0, offset: offset, isLast: isLast,
            bytes: ByteBuffer(repeating: UInt8(ascii: "i"), count: bytes))
    }

    @Test func inputIsSentAsFarAsTheWindowGoesAndAgainAfterAReconnection() {
        let relays = InputRelays<JobID>()
        let job = JobID.make(at: Self.moment)
        let lease = AttemptLease(attempt: .make(at: Self.moment), epoch: 3)
        relays.open(job)
        let window = Int(InputRelays<JobID>.window)
        guard case .taken = relays.accept(input(0, window + 10, isLast: true), for: job) else {
            Issue.record("not taken")
            return
        }
        let first = relays.take(job, for: lease)
        #expect(first.reduce(0) { $0 + $1.bytes.readableBytes } == window)
        #expect(first.allSatisfy { $0.epoch == 3 && !$0.isLast })
        #expect(relays.take(job, for: lease).isEmpty)
        #expect(relays.consumed(job, to: .min) == nil)
        #expect(relays.consumed(job, to: 100) == 100)
        #expect(relays.consumed(job, to: 100) == nil)
        let rest = relays.take(job, for: lease)
        #expect(rest.map(\.offset) == [Int64(window)])
        #expect(rest.last?.isLast == true)
        let again = relays.take(job, for: lease, again: true)
        #expect(again.first?.offset == 100)
        #expect(again.last?.isLast == true)
    }

    /// A client sends again what it does not know to be taken; the worker may have had all of it, and more than
    /// was sent to it by this coordinator.
    @Test func inputThatWasTakenBeforeARestartMovesTheWindow() {
        let relays = InputRelays<JobID>()
        let job = JobID.make(at: Self.moment)
        let lease = AttemptLease(attempt: .make(at: Self.moment), epoch: 3)
        relays.open(job)
        let window = Int(InputRelays<JobID>.window)
        _ = relays.accept(input(1_000, 2 * window), for: job)
        #expect(relays.take(job, for: lease).last.map { Int($0.offset) + $0.bytes.readableBytes } == 1_000 + window)
        let taken = Int64(1_000 + window + 50)
        #expect(relays.consumed(job, to: taken) == taken)
        #expect(relays.take(job, for: lease).first?.offset == taken)
        #expect(relays.consumed(job, to: .max) == Int64(1_000 + 2 * window), "never more than is here")
    }

    @Test func inputIsBoundedAndGapsAreRefused() {
        let relays = InputRelays<JobID>()
        let limit = InputRelays<JobID>.limit
        let job = JobID.make(at: Self.moment)
        relays.open(job)
        _ = relays.accept(input(0, limit), for: job)
        if case .full = relays.accept(input(Int64(limit), 1), for: job) {} else {
            Issue.record("not full")
        }
        if case .gap(let expected) = relays.accept(input(Int64(limit) + 5, 1), for: job) {
            #expect(expected == Int64(limit))
        } else {
            Issue.record("no gap")
        }
        relays.drop(job)
        #expect(!relays.end(job), "a job that ended takes no input")
    }
}
