/// Statements about jobs that are held: delayed until a moment that never comes.
enum HeldSQL {
    /// The last moment that a column holds.
    static let never = Int64.max

    static let queued = """
        SELECT jobs.sequence, job_specs.spec FROM jobs JOIN job_specs ON job_specs.job = jobs.sequence
        WHERE jobs.state = 'queued' AND jobs.sequence > ? ORDER BY jobs.sequence LIMIT ?
        """
    static let hold = "UPDATE jobs SET not_before_ms = \(never) WHERE sequence = ? AND state = 'queued'"
    static let isHeld = "SELECT 1 FROM jobs WHERE id = ? AND state = 'queued' AND not_before_ms = \(never)"
    static let release = """
        UPDATE jobs SET not_before_ms = NULL WHERE id = ? AND state = 'queued' AND not_before_ms = \(never)
        """
}
