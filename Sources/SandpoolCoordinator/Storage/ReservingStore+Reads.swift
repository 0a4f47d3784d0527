import SandpoolModel
import SandpoolStore

extension ReservingStore {
    func job(_ id: JobID) async throws -> Job? {
        try await store.job(id)
    }

    func jobs(_ query: JobQuery) async throws -> [Job] {
        try await store.jobs(query)
    }

    func resolve(_ reference: JobReference) async throws -> Resolution {
        try await store.resolve(reference)
    }

    func counts() async throws -> [JobState: Int] {
        try await store.counts()
    }

    func claimable(limit: Int, after position: QueuePosition?) async throws -> [QueuedJob] {
        try await store.claimable(limit: limit, after: position)
    }

    func demands(limit: Int, after demand: String?) async throws -> [QueuedJob] {
        try await store.demands(limit: limit, after: demand)
    }

    func claimable(limit: Int, of demand: String) async throws -> [QueuedJob] {
        try await store.claimable(limit: limit, of: demand)
    }

    func nextQueueDeadline() async throws -> Timestamp? {
        try await store.nextQueueDeadline()
    }

    func liveAttempts(worker: WorkerID?) async throws -> [LiveAttempt] {
        try await store.liveAttempts(worker: worker)
    }

    func output(of attempt: AttemptID) async throws -> AttemptOutput? {
        try await store.output(of: attempt)
    }

    func downloads(of job: JobID) async throws -> String? {
        try await store.downloads(of: job)
    }

    func worker(_ id: WorkerID) async throws -> WorkerRecord? {
        try await store.worker(id)
    }

    func workers() async throws -> [WorkerRecord] {
        try await store.workers()
    }

    func token(hash: String) async throws -> TokenRecord? {
        try await store.token(hash: hash)
    }

    func tokens() async throws -> [TokenRecord] {
        try await store.tokens()
    }
}
