import SandpoolModel

/// What the checker comes by, for those who know what else must be there: files.
public enum Stored: Sendable {
    case job(JobID, JobState, JobSpec)
    case attempt(StoredAttempt)
}

/// An attempt, and what the database has of its output.
public struct StoredAttempt: Sendable {
    public var job: JobID
    public var attempt: Attempt
    public var tails: [StoredTail]
    /// `sha256:…` of the archive of its downloads.
    public var downloads: String?
}

/// Where the end of a stream lies that is kept in the database.
public struct StoredTail: Hashable, Sendable {
    public var stream: OutputStream
    public var offset: Int64
    public var count: Int64
}
