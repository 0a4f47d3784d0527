import SandpoolModel
import SandpoolStore

/// The store without a disk, for tests: `MemoryStore` behind the protocol of the real one.
public actor MemoryJobStore: JobStore {
    public nonisolated let identity: StoreIdentity
    private var store = MemoryStore()
    private var isClosed = false

    public init(identity: StoreIdentity = StoreIdentity(databaseID: "memory", generation: 1)) {
        self.identity = identity
    }

    public func close() throws {
        try use { _ in () }
        isClosed = true
    }

    private func use<Value>(_ body: (inout MemoryStore) throws -> Value) throws -> Value {
        guard !isClosed else { throw StoreError.closed }
        return try body(&store)
    }
}

extension MemoryJobStore {
    public func submit(_ jobs: [NewJob], now: Timestamp) throws -> SubmitOutcome {
        try use { try $0.submit(jobs, now: now) }
    }

    public func job(_ id: JobID) throws -> Job? { try use { try $0.job(id) } }

    public func jobs(_ query: JobQuery) throws -> [Job] { try use { try $0.jobs(query) } }

    public func resolve(_ reference: JobReference) throws -> Resolution { try use { try $0.resolve(reference) } }

    public func counts() throws -> [JobState: Int] { try use { try $0.counts() } }

    public func claimable(limit: Int, after position: QueuePosition?) throws -> [QueuedJob] {
        try use { try $0.claimable(limit: limit, after: position) }
    }

    public func demands(limit: Int, after demand: String?) throws -> [QueuedJob] {
        try use { try $0.demands(limit: limit, after: demand) }
    }

    public func claimable(limit: Int, of demand: String) throws -> [QueuedJob] {
        try use { try $0.claimable(limit: limit, of: demand) }
    }

    public func lease(_ requests: [LeaseRequest], now: Timestamp) throws -> [LeaseAnswer] {
        try use { try $0.lease(requests, now: now) }
    }

    public func advanceQueue(now: Timestamp) throws -> QueueAdvance { try use { try $0.advanceQueue(now: now) } }

    public func nextQueueDeadline() throws -> Timestamp? { try use { try $0.nextQueueDeadline() } }

    public func cancel(_ id: JobID, now: Timestamp) throws -> CancelAnswer {
        try use { try $0.cancel(id, now: now) }
    }
}

extension MemoryJobStore {
    public func recordProgress(_ reports: [ProgressReport], now: Timestamp) throws -> [Verdict] {
        try use { try $0.recordProgress(reports, now: now) }
    }

    public func recordResults(_ reports: [ResultReport], now: Timestamp) throws -> [EndAnswer] {
        try use { try $0.recordResults(reports, now: now) }
    }

    public func returnLeases(_ leases: [LeaseKey], now: Timestamp) throws -> [EndAnswer] {
        try use { try $0.returnLeases(leases, now: now) }
    }

    public func recordLosses(_ losses: [LossReport], now: Timestamp) throws -> [EndAnswer] {
        try use { try $0.recordLosses(losses, now: now) }
    }

    public func liveAttempts(worker: WorkerID?) throws -> [LiveAttempt] {
        try use { try $0.liveAttempts(worker: worker) }
    }

    public func setUnreachable(worker: WorkerID, since: Timestamp?) throws {
        try use { try $0.setUnreachable(worker: worker, since: since) }
    }

    public func output(of attempt: AttemptID) throws -> AttemptOutput? { try use { try $0.output(of: attempt) } }

    public func downloads(of job: JobID) throws -> String? { try use { try $0.downloads(of: job) } }
}

extension MemoryJobStore {
    public func upsertWorker(
        _ worker: WorkerRegistration, token: TokenID?, now: Timestamp
    ) throws -> WorkerRecord {
        try use { try $0.upsertWorker(worker, token: token, now: now) }
    }

    public func worker(_ id: WorkerID) throws -> WorkerRecord? { try use { try $0.worker(id) } }

    public func workers() throws -> [WorkerRecord] { try use { try $0.workers() } }

    public func recordSeen(_ workers: [WorkerID], now: Timestamp) throws {
        try use { try $0.recordSeen(workers, now: now) }
    }

    public func setDrain(_ drain: Drain?, worker: WorkerID) throws -> Bool {
        try use { try $0.setDrain(drain, worker: worker) }
    }

    public func setQuarantine(_ quarantine: Quarantine?, worker: WorkerID) throws -> Bool {
        try use { try $0.setQuarantine(quarantine, worker: worker) }
    }

    public func forgetWorker(_ id: WorkerID, now: Timestamp) throws -> Bool {
        try use { try $0.forgetWorker(id, now: now) }
    }

    public func insertToken(_ token: TokenRecord) throws { try use { try $0.insertToken(token) } }

    public func token(hash: String) throws -> TokenRecord? { try use { try $0.token(hash: hash) } }

    public func tokens() throws -> [TokenRecord] { try use { try $0.tokens() } }

    public func revokeToken(_ id: TokenID, now: Timestamp) throws -> Bool {
        try use { try $0.revokeToken(id, now: now) }
    }
}
