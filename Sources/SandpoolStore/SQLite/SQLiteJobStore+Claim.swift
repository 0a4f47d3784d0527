import GRDB
import SandpoolModel

extension SQLiteJobStore {
    public func claimable(limit: Int, after position: QueuePosition?) async throws -> [QueuedJob] {
        try Bounds.check(limit: limit)
        return try await read { database in
            let rows =
                if let position {
                    try Self.page(limit: limit, after: position, in: database)
                } else {
                    try database.rows(QueueSQL.head, [limit])
                }
            return try rows.map { try Self.queuedJob(from: $0, in: database) }
        }
    }

    public func demands(limit: Int, after demand: String?) async throws -> [QueuedJob] {
        try Bounds.check(limit: limit)
        return try await read { database in
            var heads: [QueuedJob] = []
            while heads.count < limit,
                let row = try database.row(QueueSQL.firstOfNextDemand, [heads.last?.demand ?? demand ?? ""])
            {
                heads.append(try Self.queuedJob(from: row, in: database))
            }
            return heads
        }
    }

    public func claimable(limit: Int, of demand: String) async throws -> [QueuedJob] {
        try Bounds.check(limit: limit)
        return try await read { database in
            try database.rows(QueueSQL.ofDemand, [demand, limit]).map { try Self.queuedJob(from: $0, in: database) }
        }
    }

    public func lease(_ requests: [LeaseRequest], now: Timestamp) async throws -> [LeaseAnswer] {
        try Bounds.check(count: requests.count, of: "leases")
        let taken = try await write { database in
            var takesLeases: [WorkerID: Bool] = [:]
            return try requests.map { request in
                let isOpen =
                    try takesLeases[request.worker]
                    ?? (database.row(QueueSQL.workerTakesLeases, [request.worker.text]) != nil)
                takesLeases[request.worker] = isOpen
                return try isOpen ? Self.take(request, now: now, in: database) : .workerUnavailable
            }
        }
        return try taken.map { try $0.answer() }
    }

    private static func page(limit: Int, after position: QueuePosition, in database: Database) throws -> [Row] {
        let same = try database.rows(QueueSQL.samePriority, [position.priority, position.sequence, limit])
        guard same.count < limit else { return same }
        return try same + database.rows(QueueSQL.below, [position.priority, limit - same.count])
    }

    private static func queuedJob(from row: Row, in database: Database) throws -> QueuedJob {
        let sequence = try row.decode(Int64.self, forColumn: "sequence")
        let wasTried = try row.decode(Int64.self, forColumn: "epoch") > 0
        let require = try row.decode(String.self, forColumn: "require")
        return QueuedJob(
            id: try row.identifier("id"),
            position: QueuePosition(priority: try row.decode(forColumn: "priority"), sequence: sequence),
            resources: try row.resources(),
            require: require == "{}" ? [:] : try StoredJSON.decode([String: String].self, from: require),
            image: try row.decode(forColumn: "image"), demand: try row.decode(forColumn: "demand"),
            createdAt: try row.moment("created_at_ms"),
            triedWorkers: wasTried
                ? try database.rows(QueueSQL.triedWorkers, [sequence]).map { try $0.identifier("worker") } : [])
    }

    private static func take(_ request: LeaseRequest, now: Timestamp, in database: Database) throws -> Taken {
        guard let row = try database.row(QueueSQL.toTake, [request.job.text]) else { return .notClaimable }
        let sequence = try row.decode(Int64.self, forColumn: "sequence")
        let epoch = try row.decode(Int64.self, forColumn: "epoch") + 1
        guard try database.change(QueueSQL.take, [epoch, sequence]) == 1 else {
            throw StoreError.corrupt("\(request.job) was queued and could not be taken")
        }
        try database.change(
            QueueSQL.insertAttempt,
            [request.attempt.text, sequence, epoch, request.worker.text, now.milliseconds])
        let lease = LeaseKey(attempt: request.attempt, epoch: epoch, worker: request.worker)
        return .leased(lease, specJSON: try row.decode(forColumn: "spec"))
    }
}

/// An answer whose spec is not parsed yet: that is left to the caller's thread.
private enum Taken: Sendable {
    case leased(LeaseKey, specJSON: String)
    case notClaimable
    case workerUnavailable

    func answer() throws -> LeaseAnswer {
        switch self {
        case .leased(let lease, let json): .leased(lease, spec: try StoredJSON.decode(JobSpec.self, from: json))
        case .notClaimable: .notClaimable
        case .workerUnavailable: .workerUnavailable
        }
    }
}
