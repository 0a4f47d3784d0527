import SandpoolAPI
import SandpoolModel

extension Pool {
    /// Removes finished jobs with their output, and uploads that only they used.
    ///
    /// - Parameter age: how long ago a job must have ended at least.
    /// - Returns: how many jobs went, and how many bytes of the coordinator's disk.
    public func prune(olderThan age: Duration) async throws -> (jobs: Int, bytes: Int64) {
        var (jobs, bytes): (Int, Int64) = (0, 0)
        while true {
            let answer: PruneAnswer = try await http.post(
                Routes.prune, PruneRequest(olderThanSeconds: age.inSeconds))
            jobs += answer.jobs
            bytes += answer.bytes
            if answer.isDone { return (jobs, bytes) }
        }
    }
}
