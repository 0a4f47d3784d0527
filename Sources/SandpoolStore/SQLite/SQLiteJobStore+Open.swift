import GRDB
import SandpoolModel

extension SQLiteJobStore {
    /// Opens the database at `path`, creates it where there is none, and brings an older one up to date after
    /// writing a backup beside it.
    ///
    /// - Throws: `StoreError.newerVersion`, and every error of opening a file.
    public static func open(path: String, now: Timestamp) async throws -> SQLiteJobStore {
        try open(path: path, migrations: Migration.all, now: now)
    }

    static func open(path: String, migrations: [Migration], now: Timestamp) throws -> SQLiteJobStore {
        do {
            let migrator = Migrator(path: path, migrations: migrations)
            try migrator.checkBeforeOpening()
            let pool = try DatabasePool(path: path, configuration: configuration())
            // After the pool set WAL and NORMAL: an acknowledged commit must survive a power cut.
            try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
            try migrator.migrate(pool, now: now)
            return SQLiteJobStore(identity: try countOpening(pool, now: now), pool: pool)
        } catch {
            throw StoreError.from(error)
        }
    }

    private static func configuration() -> Configuration {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = true
        configuration.maximumReaderCount = 4
        configuration.busyMode = .timeout(5)
        // The default; said aloud because errors with values in them would put secrets into logs.
        configuration.publicStatementArguments = false
        configuration.prepareDatabase { database in
            // KiB. The writer's hot pages stay in memory, four readers and it in about 40 MiB.
            try database.execute(sql: "PRAGMA cache_size = -8192")
            // Savepoints and statements keep what they may undo in memory, not in a temporary file.
            try database.execute(sql: "PRAGMA temp_store = MEMORY")
            // Pages, 16 MiB: a checkpoint costs two syncs, so it pays to make it rare.
            try database.execute(sql: "PRAGMA wal_autocheckpoint = 4096")
            try database.execute(sql: "PRAGMA journal_size_limit = 67108864")
        }
        return configuration
    }

    private static func countOpening(_ pool: DatabasePool, now: Timestamp) throws -> StoreIdentity {
        try pool.write { database in
            var generator = SystemRandomNumberGenerator()
            let fresh = ULID(milliseconds: UInt64(clamping: now.milliseconds), using: &generator)
            try database.change(CoordinatorSQL.create, [fresh.text, now.milliseconds])
            try settleRestored(as: fresh.text, now: now, in: database)
            guard let row = try database.row(CoordinatorSQL.nextGeneration) else {
                throw StoreError.corrupt("the coordinator's row is missing")
            }
            return StoreIdentity(
                databaseID: try row.decode(forColumn: "database_id"),
                generation: try row.decode(forColumn: "generation"),
                lostFutures: try database.rows(BackupSQL.lostFutures).map(LostFuture.init))
        }
    }
}

extension LostFuture {
    fileprivate init(_ row: Row) throws {
        self.init(
            databaseID: try row.decode(forColumn: "database_id"), backedUpAt: try row.moment("backed_up_at_ms"),
            restoredAt: try row.moment("restored_at_ms"))
    }
}
