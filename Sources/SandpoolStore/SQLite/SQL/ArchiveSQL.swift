/// Statements about jobs that have ended. The planner would rather go through all jobs, so they name their index.
enum ArchiveSQL {
    private static let ended = """
        SELECT sequence, id, finished_at_ms,
            (SELECT total(length(bytes)) FROM attempts JOIN output_tails ON attempt = attempts.sequence
                WHERE attempts.job = jobs.sequence) AS tail_bytes,
            (SELECT group_concat(downloads, ' ') FROM attempts WHERE attempts.job = jobs.sequence) AS downloads
        FROM jobs INDEXED BY jobs_by_end WHERE finished_at_ms IS NOT NULL
        """
    static let endedFirst = "\(ended) AND finished_at_ms <= ? ORDER BY finished_at_ms LIMIT ?"
    /// What ended in the same millisecond as the last of a page is told apart by the sequence.
    static let endedLast = """
        \(ended) AND finished_at_ms <= ?1 AND (finished_at_ms < ?1 OR sequence < ?2)
        ORDER BY finished_at_ms DESC, sequence DESC LIMIT ?3
        """

    static let toPrune = "SELECT sequence FROM jobs WHERE id = ? AND finished_at_ms IS NOT NULL"
    static let blobs = "SELECT blob FROM blob_uses WHERE job = ?"
    static let prune = "DELETE FROM jobs WHERE sequence = ?"
    static let isUsed = "SELECT 1 FROM blob_uses WHERE blob = ? LIMIT 1"
    static let use = "INSERT OR IGNORE INTO blob_uses (blob, job) VALUES (?, ?)"
}
