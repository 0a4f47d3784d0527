import GRDB
import SandpoolModel

/// The row of an attempt that a fenced write just ended.
struct EndedAttempt {
    var sequence: Int64
    var job: Int64
    var startedAt: Int64?
    var finishedAt: Int64

    init(_ row: Row) throws {
        sequence = try row.decode(forColumn: "sequence")
        job = try row.decode(forColumn: "job")
        startedAt = try row.decode(forColumn: "started_at_ms")
        finishedAt = try row.decode(forColumn: "finished_at_ms")
    }
}

/// What the end of an attempt needs to know of its job.
private struct JobAtEnd {
    var id: JobID
    var isCancelRequested: Bool
    var counts = RetryCounts()

    static func fetch(_ attempt: EndedAttempt, from database: Database) throws -> JobAtEnd {
        guard let row = try database.row(AttemptSQL.jobOfEnd, [attempt.job]) else { throw attempt.orphaned }
        var job = JobAtEnd(
            id: try row.identifier("id"),
            isCancelRequested: try row.momentIfPresent("cancel_requested_at_ms") != nil)
        job.counts.notStarted = try row.decode(forColumn: "not_started_count")
        job.counts.lostRunning = try row.decode(forColumn: "lost_running_count")
        job.counts.workersLost = try row.decode(forColumn: "workers_lost_count")
        job.counts.userFailures = try row.decode(forColumn: "user_failure_count")
        return job
    }
}

extension EndedAttempt {
    /// A live attempt implies a job that is starting or running; the schema keeps one live attempt a job.
    var orphaned: StoreError { .corrupt("the job of attempt row \(sequence) is neither starting nor running") }
}

extension SQLiteJobStore {
    /// Ends the attempt's job, or puts it back into the queue, as `Conclusion` decides.
    ///
    /// - Parameter outcome: `nil` for an attempt that was given back unstarted.
    static func conclude(
        _ attempt: EndedAttempt, outcome: Outcome?, now: Timestamp, in database: Database
    ) throws -> JobChange {
        // Most ends are successes, and need nothing of the job to be read.
        if let outcome, outcome.jobState == .succeeded { return try finish(attempt, outcome: outcome, in: database) }
        let job = try JobAtEnd.fetch(attempt, from: database)
        let conclusion =
            try outcome.map { outcome in
                try Conclusion.of(outcome, counts: job.counts, cancelRequested: job.isCancelRequested) {
                    guard let row = try database.row(JobSQL.spec, [attempt.job]) else { throw attempt.orphaned }
                    return try row.json("spec")
                }
            } ?? Conclusion.ofReturn(counts: job.counts, cancelRequested: job.isCancelRequested)
        switch conclusion {
        case .finish(let outcome): return try finish(attempt, outcome: outcome, in: database)
        case .requeue(let counts, let delay):
            return try requeue(
                attempt, job: job.id, counts: counts, notBefore: delay.map { now.advanced(by: $0) },
                mayExpire: !(outcome?.commandStarted ?? false), in: database)
        }
    }

    private static func finish(_ attempt: EndedAttempt, outcome: Outcome, in database: Database) throws -> JobChange {
        let row = try database.row(
            AttemptSQL.finishJob,
            [
                outcome.jobState.rawValue, outcome.cause.rawValue, outcome.cause.fault.rawValue, outcome.exitCode,
                outcome.signal, outcome.message, attempt.startedAt, attempt.finishedAt, attempt.job,
            ])
        guard let row else { throw attempt.orphaned }
        return JobChange(job: try row.identifier("id"), state: outcome.jobState)
    }

    /// - Parameter mayExpire: whether the queue timeout still counts: only for a job that never started.
    private static func requeue(
        _ attempt: EndedAttempt, job: JobID, counts: RetryCounts, notBefore: Timestamp?, mayExpire: Bool,
        in database: Database
    ) throws -> JobChange {
        let changed = try database.change(
            AttemptSQL.requeueJob,
            [
                notBefore?.milliseconds, !mayExpire, counts.notStarted, counts.lostRunning, counts.workersLost,
                counts.userFailures, attempt.job,
            ])
        guard changed == 1 else { throw attempt.orphaned }
        return JobChange(job: job, state: .queued, notBefore: notBefore)
    }
}
