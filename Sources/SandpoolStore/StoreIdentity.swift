/// Which database this is, and how often a coordinator opened it.
public struct StoreIdentity: Hashable, Sendable {
    /// Random, made once with the database: a worker that meets another one does not resume leases there.
    public var databaseID: String
    /// Counts openings from 1.
    public var generation: Int64

    public init(databaseID: String, generation: Int64) {
        self.databaseID = databaseID
        self.generation = generation
    }
}
