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
        let attempt: HeldAttempt
        switch try Admission(report.lease, report.step.event, in: database) {
        case .move(let held): attempt = held
        case .answer(let verdict, _): return verdict
        }
        switch report.step {
        case .preparing: try attempt.update(AttemptSQL.prepare, in: database)
        case .building: try attempt.update(AttemptSQL.build, in: database)
        case .started:
            let startedAt = report.at.clamped(from: attempt.createdAt, to: now).milliseconds
            try attempt.update(AttemptSQL.start, [startedAt], in: database)
            try attempt.updateJob(AttemptSQL.startJob, [startedAt, attempt.job], in: database)
        }
        return .recorded
    }

    private static func liveAttempt(from row: Row) throws -> LiveAttempt {
        LiveAttempt(
            lease: try row.lease(), job: try row.identifier("job"), state: try row.word("state"),
            resources: try row.resources(), spec: try row.json("spec"), createdAt: try row.moment("created_at_ms"),
            startedAt: try row.momentIfPresent("started_at_ms"),
            unreachableSince: try row.momentIfPresent("unreachable_since_ms"),
            cancelRequested: try row.momentIfPresent("cancel_requested_at_ms") != nil,
            bootID: try row.decode(forColumn: "boot_id"))
    }
}
