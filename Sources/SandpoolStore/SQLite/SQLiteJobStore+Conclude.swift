import GRDB
import SandpoolModel

extension SQLiteJobStore {
    /// Ends the job of an attempt that ends, or puts it back into the queue, as `Conclusion` decides.
    ///
    /// - Parameter outcome: `nil` for an attempt that was given back unstarted.
    static func conclude(
        _ attempt: HeldAttempt, at finishedAt: Timestamp, outcome: Outcome?, now: Timestamp, in database: Database
    ) throws -> JobChange {
        let (counts, isCancelRequested) = (attempt.counts, attempt.isCancelRequested)
        let conclusion =
            try outcome.map { outcome in
                try Conclusion.of(outcome, counts: counts, cancelRequested: isCancelRequested) {
                    guard let row = try database.row(JobSQL.spec, [attempt.job]) else {
                        throw StoreError.corrupt("\(attempt.jobID) has no spec")
                    }
                    return try row.json("spec")
                }
            } ?? Conclusion.ofReturn(counts: counts, cancelRequested: isCancelRequested)
        switch conclusion {
        case .finish(let end):
            try finish(attempt, at: finishedAt, end, in: database)
            return JobChange(job: attempt.jobID, state: end.jobState)
        case .requeue(let counts, let delay):
            let notBefore = delay.map { now.advanced(by: $0) }
            // The queue timeout is over once a command started.
            let dropsDeadline = outcome?.commandStarted ?? false
            try requeue(attempt, counts, notBefore: notBefore, dropsDeadline: dropsDeadline, in: database)
            return JobChange(job: attempt.jobID, state: .queued, notBefore: notBefore)
        }
    }

    private static func finish(
        _ attempt: HeldAttempt, at finishedAt: Timestamp, _ end: Outcome, in database: Database
    ) throws {
        try attempt.updateJob(
            AttemptSQL.finishJob,
            [
                end.jobState.rawValue, end.cause.rawValue, end.cause.fault.rawValue, end.exitCode, end.signal,
                end.message, attempt.startedAt?.milliseconds, finishedAt.milliseconds, attempt.job,
            ], in: database)
    }

    private static func requeue(
        _ attempt: HeldAttempt, _ counts: RetryCounts, notBefore: Timestamp?, dropsDeadline: Bool,
        in database: Database
    ) throws {
        try attempt.updateJob(
            AttemptSQL.requeueJob,
            [
                notBefore?.milliseconds, dropsDeadline, counts.notStarted, counts.lostRunning, counts.workersLost,
                counts.userFailures, attempt.job,
            ], in: database)
    }
}
