/// Statements about output and downloads.
enum OutputSQL {
    static let insertTail = "INSERT INTO output_tails (attempt, stream, offset, bytes) VALUES (?, ?, ?, ?)"
    static let tails = "SELECT stream, offset, bytes FROM output_tails WHERE attempt = ? ORDER BY stream, offset"
    static let attempt = "SELECT sequence, finished_at_ms FROM attempts WHERE id = ?"
    static let downloads = """
        SELECT downloads FROM attempts JOIN jobs ON jobs.sequence = attempts.job
        WHERE jobs.id = ? AND downloads IS NOT NULL ORDER BY attempts.epoch DESC LIMIT 1
        """
}
