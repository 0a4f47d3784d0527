import SandpoolAPI
import SandpoolModel

/// Attempts that workers still run of a future which was lost when the database was restored from a backup
/// (Docs/decisions/0030).
extension CoordinatorState {
    /// What they take of their host is not known here.
    static let strangersHinder =
        "it runs attempts that were leased after the backup from which this pool was restored; wait for their end, or "
        + "have 'sandpool worker forget' kill them"

    /// Attempts have ended. With the last stranger its room is free again, which the worker's next inventory shows.
    mutating func noteStrangers(ended leases: [AttemptLease], in id: SessionID) {
        guard let strangers = sessions.all[id]?.strangers, !strangers.isEmpty else { return }
        sessions.all[id]?.strangers = strangers.subtracting(leases)
        if sessions.all[id]?.strangers.isEmpty ?? false { end(id, .close) }
    }

    /// Ends the session of a worker that is declared dead. Where it lives it kills what nobody here knows.
    mutating func dismiss(_ worker: WorkerID) {
        guard let id = sessions.current(of: worker), let strangers = sessions.all[id]?.strangers, !strangers.isEmpty
        else { return endSession(of: worker, .abort("an operator forgot the worker")) }
        for lease in strangers.sorted(by: { $0.attempt < $1.attempt }) { effects.append(.send(id, .kill(lease))) }
        end(id, .close)
    }
}
