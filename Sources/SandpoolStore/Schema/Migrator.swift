import Foundation
import GRDB
import SandpoolModel

/// Brings a database to the newest version, and refuses what is not ours to change.
struct Migrator {
    /// `SPOL`: what `file` and this program know a Sandpool database by.
    static let applicationID: Int32 = 0x5350_4F4C

    let path: String
    let migrations: [Migration]

    private var newest: Int { migrations.last?.version ?? 0 }

    /// Looks at an existing file without changing a byte of it.
    ///
    /// - Returns: its version; `nil` where there is none.
    @discardableResult
    func checkBeforeOpening() throws -> Int? {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        guard let size = attributes?[.size] as? Int, size > 0 else { return nil }
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        let database = try DatabaseQueue(path: path, configuration: configuration)
        let version = try database.read(check)
        try database.close()
        return version
    }

    /// Applies what is missing, each step in one transaction with its version. An existing database is
    /// backed up first.
    func migrate(_ pool: DatabasePool, now: Timestamp) throws {
        let version = try pool.read(check)
        guard version < newest else { return }
        if version > 0 { try backUp(pool, version: version, now: now) }
        for migration in migrations where migration.version > version {
            try pool.write { database in
                try database.execute(sql: migration.sql)
                try database.execute(sql: "PRAGMA application_id = \(Self.applicationID)")
                try database.execute(sql: "PRAGMA user_version = \(migration.version)")
            }
        }
    }

    /// - Returns: the version of the database; 0 for an empty one.
    private func check(_ database: Database) throws -> Int {
        let application = try Int32.fetchOne(database, sql: "PRAGMA application_id") ?? 0
        let version = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        let objects = try Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_schema") ?? 0
        guard application == Self.applicationID || objects == 0 else {
            throw StoreError.cannotOpen("\(path) is a database of another program; choose another path")
        }
        guard version <= newest else {
            throw StoreError.newerVersion(path: path, found: version, supported: newest)
        }
        return version
    }

    /// Copies the database to `PATH.vN.backup`, whole or not at all. From the version on that can say so it says that
    /// it is a backup.
    private func backUp(_ pool: DatabasePool, version: Int, now: Timestamp) throws {
        let target = "\(path).v\(version).backup"
        let partial = "\(target).partial"
        let files = FileManager.default
        if files.fileExists(atPath: partial) { try files.removeItem(atPath: partial) }
        let copy = try DatabaseQueue(path: partial)
        try pool.backup(to: copy)
        if version >= lostFutures.version {
            _ = try copy.writeWithoutTransaction { try $0.change(BackupSQL.mark, [now.milliseconds]) }
        }
        try copy.close()
        guard rename(partial, target) == 0 else {
            throw StoreError.io("cannot rename \(partial): \(String(cString: strerror(errno)))")
        }
    }
}
