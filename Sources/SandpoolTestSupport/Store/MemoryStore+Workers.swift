import SandpoolModel
import SandpoolStore

extension MemoryStore {
    package mutating func upsertWorker(
        _ worker: WorkerRegistration, token: TokenID?, now: Timestamp
    ) throws -> WorkerRecord {
        let owner = owners[worker.id]
        let wanted = issued.first { $0.id == token }?.worker
        let isOwn = token == nil || owner == nil || owner == token
        guard wanted == worker.id || (wanted == nil && isOwn) else { throw StoreError.foreignWorker(worker.id) }
        owners[worker.id] = wanted == nil ? owner ?? token : token
        let before = enrolled[worker.id]
        let record = WorkerRecord(
            registration: worker, drain: before?.drain, quarantine: before?.quarantine,
            enrolledAt: before?.enrolledAt ?? now, lastSeenAt: max(before?.lastSeenAt ?? now, now))
        enrolled[worker.id] = record
        return record
    }

    package func worker(_ id: WorkerID) throws -> WorkerRecord? {
        return enrolled[id]
    }

    package func workers() throws -> [WorkerRecord] {
        return enrolled.values.sorted {
            ($0.registration.name, $0.registration.id) < ($1.registration.name, $1.registration.id)
        }
    }

    package mutating func recordSeen(_ workers: [WorkerID], now: Timestamp) throws {
        try Bounds.check(count: workers.count, of: "workers")
        for id in workers { enrolled[id]?.lastSeenAt.advance(to: now) }
    }

    package mutating func setDrain(_ drain: Drain?, worker: WorkerID) throws -> Bool {
        guard enrolled[worker] != nil else { return false }
        enrolled[worker]?.drain = drain
        if drain == nil { enrolled[worker]?.quarantine = nil }
        return true
    }

    package mutating func setQuarantine(_ quarantine: Quarantine?, worker: WorkerID) throws -> Bool {
        guard enrolled[worker] != nil else { return false }
        enrolled[worker]?.quarantine = quarantine
        return true
    }

    package mutating func forgetWorker(_ id: WorkerID, now: Timestamp) throws -> Bool {
        owners[id] = nil
        return enrolled.removeValue(forKey: id) != nil
    }
}

extension Timestamp {
    /// Moves to a later moment, never back.
    fileprivate mutating func advance(to moment: Timestamp) { self = max(self, moment) }
}
