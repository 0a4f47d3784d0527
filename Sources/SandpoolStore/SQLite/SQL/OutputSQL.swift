/// Statements about output and downloads.
enum OutputSQL {
    static let insertTail = "INSERT INTO output_tails (attempt, stream, offset, bytes) VALUES (?, ?, ?, ?)"
    static let tails = "SELECT stream, offset, bytes FROM output_tails WHERE attempt = ? ORDER BY stream, offset"

    /// Grows a length; an equal or smaller one changes nothing, and no row is a lease that is not live.
    static let growLength = """
        INSERT INTO output_lengths (attempt, stream, durable_bytes)
        SELECT sequence, ?1, ?2 FROM attempts
        WHERE id = ?3 AND epoch = ?4 AND worker = ?5 AND finished_at_ms IS NULL
        ON CONFLICT (attempt, stream) DO UPDATE SET durable_bytes = excluded.durable_bytes
            WHERE excluded.durable_bytes > durable_bytes
        """
    static let isLive = """
        SELECT 1 FROM attempts WHERE id = ? AND epoch = ? AND worker = ? AND finished_at_ms IS NULL
        """
    static let lengths = "SELECT stream, durable_bytes FROM output_lengths WHERE attempt = ?"
    static let attempt = "SELECT sequence, finished_at_ms FROM attempts WHERE id = ?"
    static let downloads = """
        SELECT downloads FROM attempts JOIN jobs ON jobs.sequence = attempts.job
        WHERE jobs.id = ? AND downloads IS NOT NULL ORDER BY attempts.epoch DESC LIMIT 1
        """
}
