import SandpoolModel

/// Jobs that were queued when the backup was made that the database was restored from, and whose second run may do
/// harm: they may have run since, and nobody here knows. They wait for an operator's word.
public protocol HeldJobs: Sendable {
    func isHeld(_ job: JobID) async throws -> Bool

    /// Lets a held job have a worker again. Whether it was held.
    func release(_ job: JobID) async throws -> Bool
}
