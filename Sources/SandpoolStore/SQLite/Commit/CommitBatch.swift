import GRDB

/// Writes that share one transaction, each in its own savepoint, so that one that fails leaves the others whole.
struct CommitBatch {
    let writes: [QueuedWrite]

    /// Commits and then tells every caller, failures included: what a write was refused for may itself be
    /// the uncommitted work of a neighbour.
    func commit(_ database: Database) {
        do {
            for tell in try transact(database) { tell() }
        } catch let error as DatabaseError where error.resultCode == .SQLITE_FULL && writes.count > 1 {
            // The disk is full for all of them together. One by one, the small ones may still fit.
            for write in writes { CommitBatch(writes: [write]).commit(database) }
        } catch {
            for write in writes { write.fail(error) }
        }
    }

    /// - Returns: what tells the callers, to be called now that the transaction is durable.
    private func transact(_ database: Database) throws -> [@Sendable () -> Void] {
        try database.beginTransaction(.immediate)
        do {
            // Alone, the transaction is savepoint enough; a savepoint copies every page that is changed.
            let told =
                writes.count == 1
                ? try writes.map { try $0.run(database) } : try writes.map { try runInSavepoint($0, database) }
            try database.commit()
            return told
        } catch {
            // SQLite has rolled back by itself after some errors: <https://www.sqlite.org/lang_transaction.html>
            if database.isInsideTransaction { try database.rollback() }
            throw error
        }
    }

    private func runInSavepoint(_ write: QueuedWrite, _ database: Database) throws -> @Sendable () -> Void {
        try database.change("SAVEPOINT write")
        do {
            let tell = try write.run(database)
            try database.change("RELEASE write")
            return tell
        } catch {
            guard database.isInsideTransaction, !isFull(error) else { throw error }
            try database.change("ROLLBACK TO write")
            try database.change("RELEASE write")
            return { write.fail(error) }
        }
    }

    private func isFull(_ error: any Error) -> Bool {
        (error as? DatabaseError)?.resultCode == .SQLITE_FULL
    }
}
