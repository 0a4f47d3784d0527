import SandpoolAPI
import SandpoolModel
import SandpoolStore

/// What follows from a worker's inventory and what the store knows: a pure decision.
struct Reconciliation: Hashable, Sendable {
    /// Attempts that go on, and those that have ended and whose result is waited for.
    var keep: [HeldAttempt] = []
    /// Attempts that are not wanted any more.
    var kill: [AttemptLease] = []
    /// Attempts that were leased in a future which this database lost when it was restored from a backup: neither kept
    /// nor killed, until an operator says so.
    var strangers: [AttemptLease] = []
    /// Leases that the worker never got, or gave back before it asked its launcher for anything.
    var returned: [LeaseKey] = []
    /// Attempts that are gone.
    var lost: [LossReport] = []

    init() {}

    /// - Parameters:
    ///   - hello: with what the worker holds. A finished attempt that nobody waits for is neither kept nor killed: its
    ///     result will be answered.
    ///   - live: what the store has given it.
    ///   - lostFutures: what the database was before it was restored. What was leased before that and is gone now may
    ///     have run to its end, and been recorded where nobody reads it any more.
    init(_ hello: WorkerHello, live: [LiveAttempt], lostFutures: [LostFuture] = []) {
        var byLease: [AttemptLease: LiveAttempt] = [:]
        for attempt in live { byLease[AttemptLease(attempt.lease)] = attempt }
        for attempt in hello.held {
            let known = byLease.removeValue(forKey: attempt.lease)
            if known != nil {
                keep.append(attempt)
            } else if attempt.state.isTerminal {
                continue
            } else if lostFutures.contains(where: { $0.mayHave(attempt.lease.attempt) }) {
                strangers.append(attempt.lease)
            } else {
                kill.append(attempt.lease)
            }
        }
        let givenBack = Set(hello.returned ?? [])
        for attempt in live where byLease[AttemptLease(attempt.lease)] != nil {
            let isRestored = lostFutures.contains { attempt.createdAt <= $0.restoredAt }
            let isReturned = givenBack.contains(AttemptLease(attempt.lease))
            note(missing: attempt, isSameBoot: attempt.bootID == hello.bootID, isReturned, isRestored)
        }
    }

    /// What became of an attempt that its worker does not have.
    ///
    /// A worker notes an attempt before it asks its launcher for the sandbox, and keeps it until the end is recorded
    /// here. So what is missing in the same boot, and was never said to run, never began.
    private mutating func note(missing attempt: LiveAttempt, isSameBoot: Bool, _ isReturned: Bool, _ isRestored: Bool) {
        switch attempt.state {
        case _ where !isSameBoot: lost.append(.workerLost(attempt.lease, "the worker's host was restarted"))
        case _ where isRestored: lost.append(.workerLost(attempt.lease, "the worker lost the attempt"))
        case .leased: returned.append(attempt.lease)
        case .preparing, .building:
            if isReturned { return returned.append(attempt.lease) }
            let message = "the worker was interrupted before it had asked for the sandbox"
            lost.append(.workerLost(attempt.lease, message, commandStarted: false))
        case .running, .finished, .lost, .superseded:
            lost.append(.workerLost(attempt.lease, "the worker lost the attempt"))
        }
    }
}
