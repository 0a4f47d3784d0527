/// Statements about jobs as a whole: submitting and reading them.
enum JobSQL {
    static let byIdempotencyKey = "SELECT id, fingerprint FROM jobs WHERE idempotency_key = ?"

    static let insert = """
        INSERT INTO jobs (id, name, state, priority, cpu_millis, memory_bytes, disk_bytes, require, image,
            idempotency_key, fingerprint, created_at_ms, queue_deadline_ms)
        VALUES (?, ?, 'queued', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """
    static let insertSpec = "INSERT INTO job_specs (job, spec) VALUES (?, ?)"
    static let insertTag = "INSERT INTO job_tags (key, value, job) VALUES (?, ?, ?)"

    /// What a `Job` is read from, but for its attempts.
    private static let columns = """
        jobs.sequence, jobs.id, jobs.state, jobs.created_at_ms, jobs.started_at_ms, jobs.finished_at_ms,
            jobs.cause, jobs.exit_code, jobs.signal, jobs.message, job_specs.spec
        """
    static let byID = """
        SELECT \(columns) FROM jobs JOIN job_specs ON job_specs.job = jobs.sequence WHERE jobs.id = ?
        """
    static let attempts = """
        SELECT id, worker, epoch, state, created_at_ms, started_at_ms, finished_at_ms,
            cause, exit_code, signal, message, command_started, retryable, evidence
        FROM attempts WHERE job = ? ORDER BY epoch
        """
    static let spec = "SELECT spec FROM job_specs WHERE job = ?"

    static let countsByState = "SELECT state, count(*) AS jobs FROM jobs GROUP BY state"

    /// Jobs of one state or all, newest first, with `tagCount` pairs that must match.
    ///
    /// The first pair drives the search through the primary key of `job_tags`; so a rare tag is cheap however
    /// many jobs there are, and the jobs still come newest first.
    static func list(inOneState: Bool, tagCount: Int) -> String {
        var conditions: [String] = []
        if tagCount > 0 { conditions.append("driver.key = ? AND driver.value = ?") }
        for _ in 0..<max(0, tagCount - 1) {
            conditions.append("EXISTS (SELECT 1 FROM job_tags WHERE key = ? AND value = ? AND job = jobs.sequence)")
        }
        if inOneState { conditions.append("jobs.state = ?") }
        let from =
            tagCount > 0 ? "job_tags AS driver CROSS JOIN jobs ON jobs.sequence = driver.job" : "jobs"
        let filter = conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND ")
        return """
            SELECT \(columns) FROM \(from) JOIN job_specs ON job_specs.job = jobs.sequence \(filter)
            ORDER BY \(tagCount > 0 ? "driver.job" : "jobs.sequence") DESC LIMIT ?
            """
    }

    static let exists = "SELECT id FROM jobs WHERE id = ?"
    static let newest = "SELECT id FROM jobs ORDER BY sequence DESC LIMIT 1"
    static let newestByName = "SELECT id FROM jobs WHERE name = ? ORDER BY sequence DESC LIMIT 1"
    /// Reads the index of ids whole: 30 ms for a million jobs, in a snapshot of its own.
    static let bySuffix = "SELECT id FROM jobs WHERE substr(id, -length(?1)) = ?1 ORDER BY id DESC LIMIT ?2"
}
