import GRDB
import SandpoolModel

extension SQLiteJobStore {
    public func upsertWorker(
        _ worker: WorkerRegistration, token: TokenID?, now: Timestamp
    ) async throws -> WorkerRecord {
        let labels = try StoredJSON.encode(worker.labels)
        let images = try StoredJSON.encode(worker.images)
        return try await write { database in
            let owner = try database.row(WorkerSQL.owner, [worker.id.text])?.decode(String?.self, forColumn: "token")
            let wanted = try token.flatMap { try database.row(TokenSQL.worker, [$0.text]) }?
                .decode(String?.self, forColumn: "worker")
            let isOwn = token == nil || owner == nil || owner == token?.text
            guard wanted == worker.id.text || (wanted == nil && isOwn) else {
                throw StoreError.foreignWorker(worker.id)
            }
            try database.change(
                WorkerSQL.upsert,
                [
                    worker.id.text, worker.name, labels, images, worker.offersHostImage, worker.capacity.cpuMillis,
                    worker.capacity.memoryBytes, worker.capacity.diskBytes, worker.bootID, worker.softwareVersion,
                    now.milliseconds, token?.text, wanted != nil, worker.makesDisks,
                ])
            guard let row = try database.row(WorkerSQL.byID, [worker.id.text]) else {
                throw StoreError.corrupt("\(worker.id) is missing after it was stored")
            }
            return try Self.worker(from: row)
        }
    }

    public func worker(_ id: WorkerID) async throws -> WorkerRecord? {
        try await read { try $0.row(WorkerSQL.byID, [id.text]).map(Self.worker) }
    }

    public func workers() async throws -> [WorkerRecord] {
        try await read { try $0.rows(WorkerSQL.all).map(Self.worker) }
    }

    public func recordSeen(_ workers: [WorkerID], now: Timestamp) async throws {
        try Bounds.check(count: workers.count, of: "workers")
        try await write { database in
            for worker in workers { try database.change(WorkerSQL.seen, [now.milliseconds, worker.text]) }
        }
    }

    public func setDrain(_ drain: Drain?, worker: WorkerID) async throws -> Bool {
        try await write { database in
            try database.change(
                WorkerSQL.setDrain, [drain?.reason, drain?.deadline?.milliseconds, worker.text]) == 1
        }
    }

    public func setQuarantine(_ quarantine: Quarantine?, worker: WorkerID) async throws -> Bool {
        let json = try quarantine.map { try StoredJSON.encode($0) }
        return try await write { try $0.change(WorkerSQL.setQuarantine, [json, worker.text]) == 1 }
    }

    public func forgetWorker(_ id: WorkerID, now: Timestamp) async throws -> Bool {
        try await write { try $0.change(WorkerSQL.forget, [now.milliseconds, id.text]) == 1 }
    }

    static func worker(from row: Row) throws -> WorkerRecord {
        let deadline = try row.momentIfPresent("drain_deadline_ms")
        return WorkerRecord(
            registration: WorkerRegistration(
                id: try row.identifier("id"), name: try row.decode(forColumn: "name"), labels: try row.json("labels"),
                capacity: try row.resources(), images: try row.json("images"),
                offersHostImage: try row.decode(forColumn: "offers_host_image"),
                bootID: try row.decode(forColumn: "boot_id"),
                softwareVersion: try row.decode(forColumn: "software_version"),
                makesDisks: try row.decode(forColumn: "makes_disks")),
            drain: try row.decode(String?.self, forColumn: "drain_reason").map {
                Drain(reason: $0, deadline: deadline)
            },
            quarantine: try row.decode(String?.self, forColumn: "quarantine").map {
                try StoredJSON.decode(Quarantine.self, from: $0)
            },
            enrolledAt: try row.moment("enrolled_at_ms"), lastSeenAt: try row.moment("last_seen_at_ms"))
    }
}
