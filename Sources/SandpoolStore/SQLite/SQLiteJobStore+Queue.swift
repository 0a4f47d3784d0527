import GRDB
import SandpoolModel

extension SQLiteJobStore {
    public func advanceQueue(now: Timestamp) async throws -> QueueAdvance {
        try await write { database in
            let expired: [JobID] = try database.rows(
                QueueSQL.expire, [now.milliseconds, StoreLimits.batch, Conclusion.expired.message]
            ).map { try $0.identifier("id") }
            let latest = now.advanced(by: RetryLimits.longestDelay)
            let released =
                try database.change(QueueSQL.release, [now.milliseconds, StoreLimits.batch])
                + database.change(QueueSQL.releasePutOff, [latest.milliseconds, StoreLimits.batch])
            return QueueAdvance(expired: expired, released: released)
        }
    }

    public func nextQueueDeadline() async throws -> Timestamp? {
        try await read { database in
            let moments = try [QueueSQL.nextExpiry, QueueSQL.nextRelease].compactMap {
                try database.row($0)?.moment("moment")
            }
            return moments.min()
        }
    }

    public func cancel(_ id: JobID, now: Timestamp) async throws -> CancelAnswer {
        try await write { database in
            guard let row = try database.row(QueueSQL.stateForCancel, [id.text]) else { return .notFound }
            let sequence = try row.decode(Int64.self, forColumn: "sequence")
            let state: JobState = try row.word("state")
            if state.isTerminal { return .finished(state) }
            if state == .queued {
                try database.change(QueueSQL.cancelQueued, [now.milliseconds, sequence])
                return .cancelled
            }
            try database.change(QueueSQL.requestCancel, [now.milliseconds, sequence])
            guard let live = try database.row(QueueSQL.liveLease, [sequence]) else {
                throw StoreError.corrupt("\(id) is \(state.rawValue) and no attempt of it is live")
            }
            return .requested(try live.lease())
        }
    }
}
