import GRDB
import SandpoolModel

extension SQLiteJobStore {
    public func submit(_ jobs: [NewJob], now: Timestamp) async throws -> SubmitOutcome {
        try Bounds.check(count: jobs.count, of: "jobs")
        // Encoded here, so that the one writer does no work that callers can do beside each other.
        let encoded = try jobs.map(EncodedJob.init)
        return try await write { database in
            // Everything is looked up before anything is inserted, so a conflict leaves nothing to undo.
            var holders: [String: NewJob] = [:]
            var submitted: [SubmittedJob] = []
            for (index, job) in encoded.enumerated() {
                let existing = try Self.holder(of: job.new, earlier: &holders, in: database)
                if let existing, existing.fingerprint != job.new.fingerprint {
                    return .conflict(index: index, existing: existing.id)
                }
                submitted.append(SubmittedJob(id: existing?.id ?? job.new.id, isNew: existing == nil))
            }
            for (job, result) in zip(encoded, submitted) where result.isNew {
                try Self.insert(job, now: now, into: database)
            }
            return .stored(submitted)
        }
    }

    /// The job that has the idempotency key of `new`: a stored one, or one of those before it in its array.
    private static func holder(
        of new: NewJob, earlier: inout [String: NewJob], in database: Database
    ) throws -> (id: JobID, fingerprint: String)? {
        guard let key = new.spec.idempotencyKey else { return nil }
        if let row = try database.row(JobSQL.byIdempotencyKey, [key]) {
            return (try row.identifier("id"), try row.decode(forColumn: "fingerprint"))
        }
        if let first = earlier[key] { return (first.id, first.fingerprint) }
        earlier[key] = new
        return nil
    }

    private static func insert(_ job: EncodedJob, now: Timestamp, into database: Database) throws {
        let spec = job.new.spec
        try database.change(
            JobSQL.insert,
            [
                job.new.id.text, spec.name, spec.priority, job.new.resources.cpuMillis,
                job.new.resources.memoryBytes, job.new.resources.diskBytes, job.requireJSON, spec.image,
                spec.idempotencyKey, job.new.fingerprint, now.milliseconds,
                spec.queueDeadline(from: now)?.milliseconds,
            ])
        let sequence = database.lastInsertedRowID
        try database.change(JobSQL.insertSpec, [sequence, job.specJSON])
        for (key, value) in spec.tags { try database.change(JobSQL.insertTag, [key, value, sequence]) }
        for mount in spec.mounts { try database.change(ArchiveSQL.use, [mount.blob, sequence]) }
    }
}

private struct EncodedJob: Sendable {
    let new: NewJob
    let specJSON: String
    let requireJSON: String

    init(_ job: NewJob) throws {
        new = job
        specJSON = try StoredJSON.encode(job.spec)
        requireJSON = job.spec.require.isEmpty ? "{}" : try StoredJSON.encode(job.spec.require)
    }
}

extension JobSpec {
    /// When a job that was submitted at a moment has waited long enough.
    package func queueDeadline(from moment: Timestamp) -> Timestamp? {
        queueTimeoutSeconds.map { moment.advanced(by: .seconds($0)) }
    }
}
