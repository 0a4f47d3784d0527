import GRDB
import SandpoolModel

extension SQLiteJobStore {
    public func recordLosses(_ losses: [LossReport], now: Timestamp) async throws -> [EndAnswer] {
        try Bounds.check(count: losses.count, of: "losses")
        for loss in losses { try Bounds.check(loss) }
        return try await write { database in
            try losses.map { try Self.record($0, now: now, in: database) }
        }
    }

    public func returnLeases(_ leases: [LeaseKey], now: Timestamp) async throws -> [EndAnswer] {
        try Bounds.check(count: leases.count, of: "leases")
        return try await write { database in
            try leases.map { try Self.giveBack($0, now: now, in: database) }
        }
    }

    private static func record(_ loss: LossReport, now: Timestamp, in database: Database) throws -> EndAnswer {
        let outcome = loss.outcome.bounded
        let attempt: HeldAttempt
        switch try Admission(loss.lease, loss.kind.event, in: database) {
        case .move(let held): attempt = held
        case .answer(let verdict, _): return EndAnswer(verdict: verdict, change: nil)
        }
        let finishedAt = max(attempt.createdAt, now)
        let change = try conclude(attempt, at: finishedAt, outcome: outcome, now: now, in: database)
        // Superseded by what, if the retry policy allows no other attempt?
        let isReplaced = loss.kind == .superseded && change.state == .queued
        try attempt.update(
            isReplaced ? AttemptSQL.supersede : AttemptSQL.lose,
            [
                finishedAt.milliseconds, outcome.cause.rawValue, outcome.cause.fault.rawValue, outcome.message,
                outcome.commandStarted, outcome.isRetryable,
            ], in: database)
        return EndAnswer(verdict: .recorded, change: change)
    }

    private static func giveBack(_ lease: LeaseKey, now: Timestamp, in database: Database) throws -> EndAnswer {
        switch try Admission(lease, .returned, in: database) {
        case .move(let attempt):
            let finishedAt = max(attempt.createdAt, now)
            try attempt.update(AttemptSQL.giveBack, [finishedAt.milliseconds], in: database)
            let change = try conclude(attempt, at: finishedAt, outcome: nil, now: now, in: database)
            return EndAnswer(verdict: .recorded, change: change)
        case .answer(let verdict, _): return EndAnswer(verdict: verdict, change: nil)
        }
    }
}
