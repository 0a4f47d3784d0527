import GRDB
import SandpoolModel

/// The store in an SQLite database: WAL, `synchronous=FULL`, group commit, snapshot reads.
///
/// One process opens it; the exclusive lock on the data directory sees to that. Two that do so nevertheless
/// keep every invariant, because each decision is made inside the transaction that records it.
public final class SQLiteJobStore: JobStore {
    public let identity: StoreIdentity
    let pool: DatabasePool
    let commits: CommitQueue

    init(identity: StoreIdentity, pool: DatabasePool) {
        self.identity = identity
        self.pool = pool
        commits = CommitQueue(writer: pool)
    }

    public func close() async throws {
        guard !commits.isClosed else { throw StoreError.closed }
        await commits.close()
        // SQLite would do so itself if the writer were the last to go; here readers are, who may not write. Without
        // room for it the log stays, and the next one to open the database reads it.
        _ = try? await pool.writeWithoutTransaction { try $0.checkpoint(.truncate) }
        do { try pool.close() } catch { throw StoreError.from(error) }
    }

    /// Runs `body` in a transaction that it shares with other writes; returns after COMMIT.
    func write<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        try await commits.perform(body)
    }

    /// Runs `body` on a snapshot, beside any writer.
    func read<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        guard !commits.isClosed else { throw StoreError.closed }
        do { return try await pool.read(body) } catch { throw StoreError.from(error) }
    }
}
