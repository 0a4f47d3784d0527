import SandpoolModel

/// Finished jobs, and how they go. Apart from `JobStore`, since nothing that decides about jobs needs it.
///
/// Errors are as `JobStore`'s.
public protocol JobArchive: Sendable {
    /// Jobs that ended at or before a moment, the first to end first.
    func endedJobs(by moment: Timestamp, limit: Int) async throws -> [EndedJob]

    /// Jobs that have ended, the last to end first.
    ///
    /// - Parameter position: the last job of the page before; `nil` for the first page.
    func endedJobs(before position: EndedJob?, limit: Int) async throws -> [EndedJob]

    /// Removes jobs with all that the database has of them. One that has not ended, and one that is not there, is left
    /// out.
    func prune(_ jobs: [JobID]) async throws -> PrunedJobs

    /// Those of `jobs` that are there.
    func known(_ jobs: [JobID]) async throws -> Set<JobID>

    /// Those of `blobs` that a job uses.
    func used(_ blobs: [String]) async throws -> Set<String>
}

/// A job that has ended, and what it takes beside its row.
public struct EndedJob: Hashable, Sendable {
    public var id: JobID
    public var endedAt: Timestamp
    /// Counts submitted jobs.
    public var sequence: Int64
    /// Bytes of output in the database.
    public var tailBytes: Int64
    /// Digests of the archives of its downloads.
    public var downloads: [String]
}

/// What has gone.
public struct PrunedJobs: Hashable, Sendable {
    public var jobs: [JobID]
    /// Blobs that they used and that no other job does.
    public var blobs: [String]

    public init(jobs: [JobID] = [], blobs: [String] = []) {
        self.jobs = jobs
        self.blobs = blobs
    }
}
