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
    /// Leases that the worker never got: it has no trace of them, nor had it started anything.
    var returned: [LeaseKey] = []
    /// Attempts that are gone, and may have run.
    var lost: [LeaseKey] = []

    /// - Parameters:
    ///   - held: what the worker holds. A finished one that nobody waits for is neither kept nor killed: its result
    ///     will be answered.
    ///   - live: what the store has given it.
    ///   - isSameBoot: whether the worker's host is the same boot as before. Another one ended everything.
    ///   - lostFutures: what the database was before it was restored. What was leased before that and is gone now may
    ///     have run to its end, and been recorded where nobody reads it any more.
    init(held: [HeldAttempt], live: [LiveAttempt], isSameBoot: Bool, lostFutures: [LostFuture] = []) {
        var byLease: [AttemptLease: LiveAttempt] = [:]
        for attempt in live { byLease[AttemptLease(attempt.lease)] = attempt }
        for attempt in held {
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
        for attempt in live where byLease[AttemptLease(attempt.lease)] != nil {
            let isRestored = lostFutures.contains { attempt.createdAt <= $0.restoredAt }
            if isSameBoot, attempt.state == .leased, !isRestored {
                returned.append(attempt.lease)
            } else {
                lost.append(attempt.lease)
            }
        }
    }
}
