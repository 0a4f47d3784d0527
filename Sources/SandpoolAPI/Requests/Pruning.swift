import SandpoolModel

/// The body of `POST /v1/prune`.
public struct PruneRequest: Codable, Hashable, Sendable {
    /// Finished jobs go that ended at least so many seconds ago.
    public var olderThanSeconds: Double

    private enum CodingKeys: String, CodingKey, CaseIterable { case olderThanSeconds }

    public init(olderThanSeconds: Double) { self.olderThanSeconds = olderThanSeconds }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
        olderThanSeconds = try values.decode(Double.self, forKey: .olderThanSeconds)
    }
}

/// What went.
public struct PruneAnswer: Codable, Hashable, Sendable {
    public var jobs: Int
    /// Bytes of output and uploads on the coordinator's disk.
    public var bytes: Int64
    /// Whether there are no more such jobs that nobody reads; else ask again.
    public var isDone: Bool

    public init(jobs: Int, bytes: Int64, isDone: Bool) {
        self.jobs = jobs
        self.bytes = bytes
        self.isDone = isDone
    }
}
