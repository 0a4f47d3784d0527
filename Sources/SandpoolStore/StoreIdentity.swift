import SandpoolModel

/// Which database this is, and how often a coordinator opened it.
public struct StoreIdentity: Hashable, Sendable {
    /// Random, made once with the database, and anew where a backup is opened for the first time: a worker that meets
    /// another one does not resume leases there.
    public var databaseID: String
    /// Counts openings from 1.
    public var generation: Int64
    /// What this database was before it was restored from a backup, oldest first; empty where it never was.
    public var lostFutures: [LostFuture]

    public init(databaseID: String, generation: Int64, lostFutures: [LostFuture] = []) {
        self.databaseID = databaseID
        self.generation = generation
        self.lostFutures = lostFutures
    }
}

/// A database whose backup this one was restored from. What it became after the backup is lost here, while workers may
/// still hold attempts of it.
public struct LostFuture: Hashable, Sendable {
    public var databaseID: String
    public var backedUpAt: Timestamp
    public var restoredAt: Timestamp

    public init(databaseID: String, backedUpAt: Timestamp, restoredAt: Timestamp) {
        self.databaseID = databaseID
        self.backedUpAt = backedUpAt
        self.restoredAt = restoredAt
    }
}

extension LostFuture {
    /// How long a lease may take from its id to its commit, and how far the clocks of two hosts may be apart.
    private static let margin = Duration.seconds(10)

    /// Whether an attempt that this database does not know was leased in that future. Its id says when.
    public func mayHave(_ attempt: AttemptID) -> Bool {
        let begin = backedUpAt.advanced(by: .zero - Self.margin)
        return (begin...max(begin, restoredAt.advanced(by: Self.margin))).contains(attempt.madeAt)
    }
}
