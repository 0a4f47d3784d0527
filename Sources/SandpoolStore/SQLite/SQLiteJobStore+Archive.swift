import GRDB
import SandpoolModel

extension SQLiteJobStore: JobArchive {
    public func endedJobs(by moment: Timestamp, limit: Int) async throws -> [EndedJob] {
        try Bounds.check(limit: limit)
        return try await read { try $0.rows(ArchiveSQL.endedFirst, [moment.milliseconds, limit]).map(EndedJob.init) }
    }

    public func endedJobs(before position: EndedJob?, limit: Int) async throws -> [EndedJob] {
        try Bounds.check(limit: limit)
        let moment = position?.endedAt.milliseconds ?? .max
        return try await read {
            try $0.rows(ArchiveSQL.endedLast, [moment, position?.sequence ?? .max, limit]).map(EndedJob.init)
        }
    }

    public func prune(_ jobs: [JobID]) async throws -> PrunedJobs {
        try Bounds.check(count: jobs.count, of: "jobs")
        return try await write { try Self.prune(jobs, in: $0) }
    }

    static func prune(_ jobs: [JobID], in database: Database) throws -> PrunedJobs {
        var pruned = PrunedJobs()
        var blobs: Set<String> = []
        for job in jobs {
            guard let row = try database.row(ArchiveSQL.toPrune, [job.text]) else { continue }
            let sequence = try row.decode(Int64.self, forColumn: "sequence")
            for row in try database.rows(ArchiveSQL.blobs, [sequence]) {
                blobs.insert(try row.decode(String.self, forColumn: "blob"))
            }
            try database.change(ArchiveSQL.prune, [sequence])
            pruned.jobs.append(job)
        }
        pruned.blobs = try blobs.filter { try database.row(ArchiveSQL.isUsed, [$0]) == nil }.sorted()
        return pruned
    }

    public func known(_ jobs: [JobID]) async throws -> Set<JobID> {
        try Bounds.check(count: jobs.count, of: "jobs")
        return try await read { database in
            Set(try jobs.filter { try database.row(JobSQL.exists, [$0.text]) != nil })
        }
    }

    public func used(_ blobs: [String]) async throws -> Set<String> {
        try Bounds.check(count: blobs.count, of: "blobs")
        return try await read { database in
            Set(try blobs.filter { try database.row(ArchiveSQL.isUsed, [$0]) != nil })
        }
    }
}

extension EndedJob {
    fileprivate init(_ row: Row) throws {
        let downloads = try row.decode(String?.self, forColumn: "downloads") ?? ""
        self.init(
            id: try row.identifier("id"), endedAt: try row.moment("finished_at_ms"),
            sequence: try row.decode(forColumn: "sequence"),
            tailBytes: Int64(try row.decode(Double.self, forColumn: "tail_bytes")),
            downloads: downloads.split(separator: " ").map(String.init))
    }
}
