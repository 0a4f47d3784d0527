/// Statements about the queue. Each is served by a partial index over the queued jobs alone, and says so: left
/// to itself the planner takes `jobs_by_state` and sorts the whole queue for every claim.
enum QueueSQL {
    private static let columns = """
        SELECT sequence, id, priority, cpu_millis, memory_bytes, disk_bytes, require, image, demand,
            created_at_ms, epoch
        """
    private static let candidate = """
        \(columns) FROM jobs INDEXED BY jobs_claimable WHERE state = 'queued' AND not_before_ms IS NULL
        """
    private static let order = "ORDER BY priority DESC, sequence LIMIT ?"
    static let head = "\(candidate) \(order)"
    /// The rest of the priority at which a page ended. With `below` instead of one OR, because SQLite seeks by a
    /// range of the index only where the condition is a plain comparison.
    static let samePriority = "\(candidate) AND priority = ? AND sequence > ? \(order)"
    static let below = "\(candidate) AND priority < ? \(order)"
    private static let candidateByDemand = """
        \(columns) FROM jobs INDEXED BY jobs_by_demand WHERE state = 'queued' AND not_before_ms IS NULL
        """
    /// The first job of the next demand: one search, however many jobs of the one before there are.
    static let firstOfNextDemand = """
        \(candidateByDemand) AND demand > ? ORDER BY demand, priority DESC, sequence LIMIT 1
        """
    static let ofDemand = "\(candidateByDemand) AND demand = ? \(order)"
    /// Attempts that were given back unstarted have no cause, and say nothing against their worker.
    static let triedWorkers = "SELECT DISTINCT worker FROM attempts WHERE job = ? AND cause IS NOT NULL"

    static let workerTakesLeases = """
        SELECT 1 FROM workers WHERE id = ? AND drain_reason IS NULL AND forgotten_at_ms IS NULL
        """
    static let toTake = """
        SELECT jobs.sequence, jobs.epoch, job_specs.spec
        FROM jobs JOIN job_specs ON job_specs.job = jobs.sequence
        WHERE jobs.id = ? AND jobs.state = 'queued' AND jobs.not_before_ms IS NULL
        """
    static let take = "UPDATE jobs SET state = 'starting', epoch = ? WHERE sequence = ? AND state = 'queued'"
    static let insertAttempt = """
        INSERT INTO attempts (id, job, epoch, worker, state, created_at_ms, boot_id)
        VALUES (?1, ?2, ?3, ?4, 'leased', ?5, (SELECT boot_id FROM workers WHERE id = ?4))
        """

    static let expire = """
        UPDATE jobs SET state = 'timed_out', cause = 'queue_timeout', fault = 'user', not_before_ms = NULL,
            message = ?3, finished_at_ms = ?1
        WHERE sequence IN (
            SELECT sequence FROM jobs INDEXED BY jobs_expiring WHERE state = 'queued' AND queue_deadline_ms <= ?1
            ORDER BY queue_deadline_ms LIMIT ?2)
        RETURNING id
        """
    static let release = """
        UPDATE jobs SET not_before_ms = NULL
        WHERE sequence IN (
            SELECT sequence FROM jobs INDEXED BY jobs_delayed WHERE state = 'queued' AND not_before_ms <= ?1
            ORDER BY not_before_ms LIMIT ?2)
        """
    /// What lies further ahead than any delay.
    static let releasePutOff = """
        UPDATE jobs SET not_before_ms = NULL
        WHERE sequence IN (
            SELECT sequence FROM jobs INDEXED BY jobs_delayed WHERE state = 'queued' AND not_before_ms > ?1
                AND not_before_ms < \(HeldSQL.never)
            ORDER BY not_before_ms LIMIT ?2)
        """
    static let nextExpiry = """
        SELECT queue_deadline_ms AS moment FROM jobs INDEXED BY jobs_expiring
        WHERE state = 'queued' AND queue_deadline_ms IS NOT NULL
        ORDER BY queue_deadline_ms LIMIT 1
        """
    static let nextRelease = """
        SELECT not_before_ms AS moment FROM jobs INDEXED BY jobs_delayed
        WHERE state = 'queued' AND not_before_ms < \(HeldSQL.never)
        ORDER BY not_before_ms LIMIT 1
        """

    static let stateForCancel = "SELECT sequence, state FROM jobs WHERE id = ?"
    static let cancelQueued = """
        UPDATE jobs SET state = 'cancelled', cause = 'cancelled', fault = 'user', not_before_ms = NULL,
            finished_at_ms = ?
        WHERE sequence = ? AND state = 'queued'
        """
    static let requestCancel = """
        UPDATE jobs SET cancel_requested_at_ms = coalesce(cancel_requested_at_ms, ?)
        WHERE sequence = ? AND state IN ('starting', 'running')
        """
    static let liveLease = "SELECT id, epoch, worker FROM attempts WHERE job = ? AND finished_at_ms IS NULL"
}
