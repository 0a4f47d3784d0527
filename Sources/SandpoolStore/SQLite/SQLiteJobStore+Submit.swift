import GRDB
import SandpoolModel

extension SQLiteJobStore {
    public func submit(_ jobs: [NewJob], now: Timestamp) async throws -> SubmitOutcome {
        try Bounds.check(count: jobs.count, of: "jobs")
        // Encoded here, so that the one writer does no work that callers can do beside each other.
        let encoded = try jobs.map(EncodedJob.init)
        return try await write { database in
            var conflict: SubmitOutcome?
            var submitted: [SubmittedJob] = []
            try database.inSavepoint {
                for (index, job) in encoded.enumerated() {
                    switch try Self.holder(of: job, in: database) {
                    case .none:
                        try Self.insert(job, now: now, into: database)
                        submitted.append(SubmittedJob(id: job.new.id, isNew: true))
                    case .same(let existing):
                        submitted.append(SubmittedJob(id: existing, isNew: false))
                    case .another(let existing):
                        conflict = .conflict(index: index, existing: existing)
                        return .rollback
                    }
                }
                return .commit
            }
            return conflict ?? .stored(submitted)
        }
    }

    private enum KeyHolder {
        case none
        case same(JobID)
        case another(JobID)
    }

    /// Which job has the idempotency key, one that was inserted a moment ago from the same array included.
    private static func holder(of job: EncodedJob, in database: Database) throws -> KeyHolder {
        guard let key = job.new.spec.idempotencyKey,
            let row = try database.row(JobSQL.byIdempotencyKey, [key])
        else { return .none }
        let fingerprint = try row.decode(String.self, forColumn: "fingerprint")
        return fingerprint == job.new.fingerprint
            ? .same(try row.identifier("id")) : .another(try row.identifier("id"))
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
