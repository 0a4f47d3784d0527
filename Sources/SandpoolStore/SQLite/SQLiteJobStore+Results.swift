import GRDB
import SandpoolModel

import struct Foundation.Data

extension SQLiteJobStore {
    public func recordResults(_ reports: [ResultReport], now: Timestamp) async throws -> [EndAnswer] {
        try Bounds.check(count: reports.count, of: "results")
        let encoded = try reports.map(EncodedResult.init)
        return try await write { database in
            try encoded.map { try Self.record($0, now: now, in: database) }
        }
    }

    private static func record(_ result: EncodedResult, now: Timestamp, in database: Database) throws -> EndAnswer {
        let report = result.report
        let lease = report.lease
        let outcome = report.outcome
        let startedAt = outcome.commandStarted ? report.startedAt : nil
        let ended = try database.row(
            AttemptSQL.finish,
            [
                startedAt?.milliseconds, now.milliseconds, report.finishedAt.milliseconds, now.milliseconds,
                outcome.cause.rawValue, outcome.cause.fault.rawValue, outcome.exitCode, outcome.signal,
                outcome.message, outcome.commandStarted, outcome.isRetryable, result.evidenceJSON,
                report.downloads, lease.attempt.text, lease.epoch, lease.worker.text,
            ])
        guard let ended else { return try keepAside(result, now: now, in: database) }
        let attempt = try EndedAttempt(ended)
        for tail in report.tails {
            try database.change(
                OutputSQL.insertTail, [attempt.sequence, tail.stream.rawValue, tail.offset, Data(tail.bytes)])
        }
        return EndAnswer(
            verdict: .recorded, change: try conclude(attempt, outcome: outcome, now: now, in: database))
    }

    /// Nothing was recorded. What an attempt that was given up says after all is evidence, and is kept.
    private static func keepAside(_ result: EncodedResult, now: Timestamp, in database: Database) throws -> EndAnswer {
        let report = result.report
        let standing = try standing(of: report.lease, event: .ended(report.outcome), in: database)
        if let attempt = standing.endedWithoutReport {
            try database.change(
                AttemptSQL.insertLateResult,
                [attempt, now.milliseconds, try StoredJSON.encode(report.outcome), result.evidenceJSON])
        }
        return EndAnswer(verdict: standing.verdict, change: nil)
    }
}

private struct EncodedResult: Sendable {
    let report: ResultReport
    let evidenceJSON: String

    init(_ report: ResultReport) throws {
        try Bounds.check(report)
        var report = report
        report.outcome = report.outcome.bounded
        self.report = report
        evidenceJSON = try StoredJSON.encode(report.evidence)
        guard evidenceJSON.utf8.count <= StoreLimits.evidenceBytes else {
            throw StoreError.invalid("result of \(report.lease.attempt): \(evidenceJSON.utf8.count) bytes of evidence")
        }
    }
}
