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
        let lease = loss.lease
        let ended = try database.row(
            loss.kind == .lost ? AttemptSQL.lose : AttemptSQL.supersede,
            [
                now.milliseconds, outcome.cause.rawValue, outcome.cause.fault.rawValue, outcome.message,
                outcome.commandStarted, outcome.isRetryable, lease.attempt.text, lease.epoch, lease.worker.text,
            ])
        guard let ended else {
            let standing = try standing(of: lease, event: loss.kind.event, in: database)
            return EndAnswer(verdict: standing.verdict, change: nil)
        }
        let attempt = try EndedAttempt(ended)
        let change = try conclude(attempt, outcome: outcome, now: now, in: database)
        if loss.kind == .superseded, change.state != .queued {
            try database.change(AttemptSQL.loseInstead, [attempt.sequence])
        }
        return EndAnswer(verdict: .recorded, change: change)
    }

    private static func giveBack(_ lease: LeaseKey, now: Timestamp, in database: Database) throws -> EndAnswer {
        let ended = try database.row(
            AttemptSQL.giveBack, [now.milliseconds, lease.attempt.text, lease.epoch, lease.worker.text])
        guard let ended else {
            return EndAnswer(verdict: try standing(of: lease, event: .returned, in: database).verdict, change: nil)
        }
        let attempt = try EndedAttempt(ended)
        return EndAnswer(
            verdict: .recorded, change: try conclude(attempt, outcome: nil, now: now, in: database))
    }
}
