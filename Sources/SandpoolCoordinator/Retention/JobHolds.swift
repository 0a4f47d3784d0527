import SandpoolAPI
import SandpoolModel
import Synchronization

/// Which jobs somebody reads, and which ones are being removed: never the same.
final class JobHolds: Sendable {
    private struct State {
        var readers: [JobID: Int] = [:]
        var going: Set<JobID> = []
    }

    private let state = Mutex(State())

    /// Keeps a job from being removed for as long as the hold is there. Taken before the job is looked up.
    ///
    /// - Throws: 404 for one that is being removed.
    func hold(_ job: JobID) throws(APIError) -> JobHold {
        let isThere = state.withLock { state in
            guard !state.going.contains(job) else { return false }
            state.readers[job, default: 0] += 1
            return true
        }
        guard isThere else { throw APIError.notFound("job \(job)") }
        return JobHold(job, of: self)
    }

    fileprivate func release(_ job: JobID) {
        state.withLock { state in
            let rest = state.readers[job, default: 1] - 1
            state.readers[job] = rest > 0 ? rest : nil
        }
    }

    /// How many jobs are read now.
    var count: Int { state.withLock(\.readers.count) }

    /// Lets nobody begin to read the jobs that nobody reads; those are the answer, at most `limit` of them.
    func takeAway(_ jobs: [JobID], limit: Int) -> [JobID] {
        state.withLock { state in
            let free = Array(jobs.filter { state.readers[$0] == nil }.prefix(limit))
            state.going.formUnion(free)
            return free
        }
    }

    /// The removal of jobs is over: who asks for them is told by the store.
    func giveBack(_ jobs: [JobID]) { state.withLock { $0.going.subtract(jobs) } }
}

/// Somebody reads a job; until the last reference is gone.
final class JobHold: Sendable {
    private let job: JobID
    private let holds: JobHolds

    fileprivate init(_ job: JobID, of holds: JobHolds) {
        self.job = job
        self.holds = holds
    }

    deinit { holds.release(job) }
}
