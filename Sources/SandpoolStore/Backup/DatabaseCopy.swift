import GRDB
import SandpoolModel

/// A copy of a database as it was at one moment, made while the database may be in use.
///
/// The copy knows that it is one: who opens it first gives it an identity of its own (`StoreIdentity.lostFutures`).
public final class DatabaseCopy: Sendable {
    private let source: DatabaseQueue
    private let copy: DatabaseQueue

    /// Jobs that are compared at a time.
    private static let page = 1_000

    /// Copies the database at `path` to `target`, which must not exist.
    public init(of path: String, to target: String, now: Timestamp) throws {
        source = try ExistingDatabase.open(path)
        do {
            var configuration = Configuration()
            configuration.foreignKeysEnabled = true
            copy = try DatabaseQueue(path: target, configuration: configuration)
            // One transaction of the source: what is written meanwhile is not seen and does not begin the copy anew.
            try source.backup(to: copy)
            try copy.writeWithoutTransaction { database in
                // Without a log beside it, the one file is the whole of it.
                try database.execute(sql: "PRAGMA journal_mode = DELETE")
                try database.change(BackupSQL.mark, [now.milliseconds])
            }
        } catch {
            throw StoreError.from(error)
        }
    }

    /// Calls `body` with every attempt, and its job, that the copy has.
    public func forEachAttempt(_ body: (JobID, AttemptID) throws -> Void) throws {
        try reading { database in
            let rows = try Row.fetchCursor(database, sql: BackupSQL.attempts)
            while let row = try rows.next() { try body(try row.identifier("job"), try row.identifier("id")) }
        }
    }

    /// Calls `body` with every blob that a job of the copy uses.
    public func forEachBlob(_ body: (String) throws -> Void) throws {
        try reading { database in
            let rows = try Row.fetchCursor(database, sql: BackupSQL.blobs)
            while let row = try rows.next() { try body(try row.decode(String.self, forColumn: "blob")) }
        }
    }

    /// Removes the jobs from the copy that were pruned from the database since, and may have lost files on the way.
    ///
    /// - Parameter body: called with each such job.
    public func removePruned(_ body: (JobID) throws -> Void) throws {
        var last: Int64 = 0
        while true {
            let rows = try reading { try $0.rows(BackupSQL.ended, [last, Self.page]) }
            let jobs: [JobID] = try rows.map { try $0.identifier("id") }
            guard let end = rows.last else { return }
            last = try end.decode(forColumn: "sequence")
            let gone = try read(source) { database in
                try jobs.filter { try database.row(JobSQL.exists, [$0.text]) == nil }
            }
            guard !gone.isEmpty else { continue }
            do {
                _ = try copy.write { try SQLiteJobStore.prune(gone, in: $0) }
            } catch {
                throw StoreError.from(error)
            }
            for job in gone { try body(job) }
        }
    }

    public func close() throws {
        do {
            try copy.close()
            try source.close()
        } catch {
            throw StoreError.from(error)
        }
    }

    private func reading<Value>(_ body: (Database) throws -> Value) throws -> Value { try read(copy, body) }

    private func read<Value>(_ queue: DatabaseQueue, _ body: (Database) throws -> Value) throws -> Value {
        do { return try queue.read(body) } catch { throw StoreError.from(error) }
    }
}
