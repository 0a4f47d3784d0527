import GRDB
import SandpoolModel

extension SQLiteJobStore: HeldJobs {
    public func isHeld(_ job: JobID) async throws -> Bool {
        try await read { try $0.row(HeldSQL.isHeld, [job.text]) != nil }
    }

    public func release(_ job: JobID) async throws -> Bool {
        try await write { try $0.change(HeldSQL.release, [job.text]) == 1 }
    }

    /// Makes a backup that is opened for the first time a database of its own: it gets another id, and what waits in
    /// its queue and may not run twice is held, since it may have run in the future that is lost.
    static func settleRestored(as id: String, now: Timestamp, in database: Database) throws {
        guard try database.change(BackupSQL.noteLostFuture, [now.milliseconds]) > 0 else { return }
        try database.change(BackupSQL.rename, [id])
        var last: Int64 = 0
        while true {
            let rows = try database.rows(HeldSQL.queued, [last, StoreLimits.page])
            guard let end = rows.last else { return }
            last = try end.decode(forColumn: "sequence")
            for row in rows where try !(row.json("spec") as JobSpec).isRerunSafe {
                try database.change(HeldSQL.hold, [try row.decode(Int64.self, forColumn: "sequence")])
            }
        }
    }
}
