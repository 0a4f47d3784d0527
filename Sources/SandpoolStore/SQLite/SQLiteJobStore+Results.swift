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
        var attempt: HeldAttempt
        switch try Admission(report.lease, .ended(report.outcome), in: database) {
        case .move(let held): attempt = held
        case .answer(let verdict, let held):
            try keepAside(result, of: held, now: now, in: database)
            return EndAnswer(verdict: verdict, change: nil)
        }
        let outcome = report.outcome.attributed(cancelRequested: attempt.isCancelRequested)
        if outcome.commandStarted, attempt.startedAt == nil {
            attempt.startedAt = report.startedAt?.clamped(from: attempt.createdAt, to: now)
        }
        let finishedAt = report.finishedAt.clamped(from: attempt.createdAt, to: now)
        try attempt.update(
            AttemptSQL.finish,
            [
                attempt.startedAt?.milliseconds, finishedAt.milliseconds, outcome.cause.rawValue,
                outcome.cause.fault.rawValue, outcome.exitCode, outcome.signal, outcome.message,
                outcome.commandStarted, outcome.isRetryable, result.evidenceJSON, report.downloads,
            ], in: database)
        for tail in report.tails {
            try database.change(
                OutputSQL.insertTail, [attempt.sequence, tail.stream.rawValue, tail.offset, Data(tail.bytes)])
        }
        if let blob = report.downloads { try database.change(ArchiveSQL.use, [blob, attempt.job]) }
        let change = try conclude(attempt, at: finishedAt, outcome: outcome, now: now, in: database)
        return EndAnswer(verdict: .recorded, change: change)
    }

    /// What an attempt that was given up says after all is evidence, and is kept.
    private static func keepAside(
        _ result: EncodedResult, of attempt: HeldAttempt?, now: Timestamp, in database: Database
    ) throws {
        guard let attempt, attempt.state == .lost || attempt.state == .superseded else { return }
        try database.change(
            AttemptSQL.insertLateResult,
            [attempt.sequence, now.milliseconds, try StoredJSON.encode(result.report.outcome), result.evidenceJSON])
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
