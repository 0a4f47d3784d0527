/// Statements about backups of the database, and about what was restored from one.
enum BackupSQL {
    static let mark = "UPDATE coordinator SET backed_up_at_ms = ?"
    /// The first opening of a backup gives it a name of its own, and notes the one that it had.
    static let noteLostFuture = """
        INSERT OR REPLACE INTO lost_futures (database_id, backed_up_at_ms, restored_at_ms)
        SELECT database_id, backed_up_at_ms, ? FROM coordinator WHERE backed_up_at_ms IS NOT NULL
        """
    static let rename = """
        UPDATE coordinator SET database_id = ?, backed_up_at_ms = NULL WHERE backed_up_at_ms IS NOT NULL
        """
    static let lostFutures = """
        SELECT database_id, backed_up_at_ms, restored_at_ms FROM lost_futures ORDER BY restored_at_ms, database_id
        """

    static let attempts = """
        SELECT jobs.id AS job, attempts.id FROM attempts JOIN jobs ON jobs.sequence = attempts.job
        ORDER BY attempts.sequence
        """
    static let blobs = "SELECT DISTINCT blob FROM blob_uses"
    static let ended = """
        SELECT sequence, id FROM jobs WHERE sequence > ? AND finished_at_ms IS NOT NULL ORDER BY sequence LIMIT ?
        """
}
