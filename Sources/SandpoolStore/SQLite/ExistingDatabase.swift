import GRDB

/// Opens a database for reading that another process may be writing.
enum ExistingDatabase {
    /// - Throws: `StoreError` where it is not there, is no database of ours, or is of another version.
    static func open(_ path: String) throws -> DatabaseQueue {
        do {
            let version = try Migrator(path: path, migrations: Migration.all).checkBeforeOpening()
            guard let version, version > 0 else {
                throw StoreError.cannotOpen("\(path): there is no database; is this a coordinator's --data-dir?")
            }
            guard version == Migration.all.count else {
                throw StoreError.cannotOpen(
                    "\(path) has version \(version) and this Sandpool reads version \(Migration.all.count); use the "
                        + "Sandpool that wrote it, or start the coordinator of this one, which migrates it")
            }
            var configuration = Configuration()
            configuration.readonly = true
            configuration.busyMode = .timeout(5)
            return try DatabaseQueue(path: path, configuration: configuration)
        } catch {
            throw StoreError.from(error)
        }
    }
}
