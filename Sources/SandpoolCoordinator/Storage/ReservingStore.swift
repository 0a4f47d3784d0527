import SandpoolModel
import SandpoolStore

/// A store whose last writes find room when the disk is full.
///
/// What ends work goes through with the reserve's room; what begins work is refused while the reserve is not
/// whole. Reads need no room.
struct ReservingStore: JobStore {
    let store: any JobStore
    let reserve: DiskReserve

    var identity: StoreIdentity { store.identity }

    func close() async throws { try await store.close() }

    private func requireReserve() throws {
        guard reserve.restore() else { throw StoreError.diskFull("there is room for what ends work alone") }
    }

    // MARK: What begins work

    func submit(_ jobs: [NewJob], now: Timestamp) async throws -> SubmitOutcome {
        try requireReserve()
        return try await store.submit(jobs, now: now)
    }

    func lease(_ requests: [LeaseRequest], now: Timestamp) async throws -> [LeaseAnswer] {
        try requireReserve()
        return try await store.lease(requests, now: now)
    }

    func insertToken(_ token: TokenRecord) async throws {
        try requireReserve()
        return try await store.insertToken(token)
    }

    // MARK: What ends work

    func advanceQueue(now: Timestamp) async throws -> QueueAdvance {
        try await reserve.supporting { try await store.advanceQueue(now: now) }
    }

    func cancel(_ id: JobID, now: Timestamp) async throws -> CancelAnswer {
        try await reserve.supporting { try await store.cancel(id, now: now) }
    }

    func recordProgress(_ reports: [ProgressReport], now: Timestamp) async throws -> [Verdict] {
        try await reserve.supporting { try await store.recordProgress(reports, now: now) }
    }

    func recordResults(_ reports: [ResultReport], now: Timestamp) async throws -> [EndAnswer] {
        try await reserve.supporting { try await store.recordResults(reports, now: now) }
    }

    func returnLeases(_ leases: [LeaseKey], now: Timestamp) async throws -> [EndAnswer] {
        try await reserve.supporting { try await store.returnLeases(leases, now: now) }
    }

    func recordLosses(_ losses: [LossReport], now: Timestamp) async throws -> [EndAnswer] {
        try await reserve.supporting { try await store.recordLosses(losses, now: now) }
    }

    func setUnreachable(worker: WorkerID, since: Timestamp?) async throws {
        try await reserve.supporting { try await store.setUnreachable(worker: worker, since: since) }
    }

    func upsertWorker(_ worker: WorkerRegistration, token: TokenID?, now: Timestamp) async throws -> WorkerRecord {
        try await reserve.supporting { try await store.upsertWorker(worker, token: token, now: now) }
    }

    func recordSeen(_ workers: [WorkerID], now: Timestamp) async throws {
        try await reserve.supporting { try await store.recordSeen(workers, now: now) }
    }

    func setDrain(_ drain: Drain?, worker: WorkerID) async throws -> Bool {
        try await reserve.supporting { try await store.setDrain(drain, worker: worker) }
    }

    func setQuarantine(_ quarantine: Quarantine?, worker: WorkerID) async throws -> Bool {
        try await reserve.supporting { try await store.setQuarantine(quarantine, worker: worker) }
    }

    func forgetWorker(_ id: WorkerID, now: Timestamp) async throws -> Bool {
        try await reserve.supporting { try await store.forgetWorker(id, now: now) }
    }

    func revokeToken(_ id: TokenID, now: Timestamp) async throws -> Bool {
        try await reserve.supporting { try await store.revokeToken(id, now: now) }
    }
}
