import GRDB
import SandpoolModel

extension SQLiteJobStore {
    public func recordProgress(_ reports: [ProgressReport], now: Timestamp) async throws -> [Verdict] {
        try Bounds.check(count: reports.count, of: "progress reports")
        return try await write { database in
            try reports.map { try Self.record($0, now: now, in: database) }
        }
    }

    public func setUnreachable(worker: WorkerID, since: Timestamp?) async throws {
        try await write { database in
            _ = try database.change(AttemptSQL.setUnreachable, [since?.milliseconds, worker.text])
        }
    }

    public func liveAttempts(worker: WorkerID?) async throws -> [LiveAttempt] {
        try await read { database in
            let rows =
                if let worker {
                    try database.rows(AttemptSQL.liveOfWorker, [worker.text])
                } else {
                    try database.rows(AttemptSQL.liveOfAll)
                }
            return try rows.map(Self.liveAttempt)
        }
    }

    private static func record(_ report: ProgressReport, now: Timestamp, in database: Database) throws -> Verdict {
        let lease = report.lease
        let fence: StatementArguments = [lease.attempt.text, lease.epoch, lease.worker.text]
        let moved =
            switch report.step {
            case .preparing: try database.row(AttemptSQL.prepare, fence)
            case .building: try database.row(AttemptSQL.build, fence)
            case .started:
                try database.row(AttemptSQL.start, [report.at.milliseconds, now.milliseconds] + fence)
            }
        guard let moved else { return try standing(of: lease, event: report.step.event, in: database).verdict }
        if report.step == .started {
            let startedAt = try moved.decode(Int64.self, forColumn: "started_at_ms")
            try database.change(AttemptSQL.startJob, [startedAt, try moved.decode(Int64.self, forColumn: "job")])
        }
        return .recorded
    }

    private static func liveAttempt(from row: Row) throws -> LiveAttempt {
        LiveAttempt(
            lease: try row.lease(), job: try row.identifier("job"), state: try row.word("state"),
            resources: try row.resources(), spec: try row.json("spec"), createdAt: try row.moment("created_at_ms"),
            startedAt: try row.momentIfPresent("started_at_ms"),
            unreachableSince: try row.momentIfPresent("unreachable_since_ms"),
            cancelRequested: try row.momentIfPresent("cancel_requested_at_ms") != nil)
    }
}
