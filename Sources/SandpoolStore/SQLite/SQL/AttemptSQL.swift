import SandpoolModel

/// Fenced writes of attempts, and what follows for their jobs.
///
/// Each write is decided by `AttemptState.decide` from what `held` read, names the epoch, the worker and the
/// states that the event moves from once more, and changes exactly one row. No RETURNING in here: SQLite opens a
/// temporary b-tree for it, and these run several times a job.
enum AttemptSQL {
    private static func fence(_ event: AttemptEvent) -> String {
        let states = AttemptState.sources(of: event).map { "'\($0.rawValue)'" }.joined(separator: ", ")
        return "WHERE sequence = ? AND epoch = ? AND worker = ? AND state IN (\(states))"
    }

    static let held = """
        SELECT attempts.sequence, attempts.state, attempts.created_at_ms, attempts.started_at_ms,
            attempts.job, jobs.id, jobs.cancel_requested_at_ms, jobs.not_started_count, jobs.lost_running_count,
            jobs.workers_lost_count, jobs.user_failure_count
        FROM attempts JOIN jobs ON jobs.sequence = attempts.job
        WHERE attempts.id = ? AND attempts.epoch = ? AND attempts.worker = ?
        """

    static let prepare = "UPDATE attempts SET state = 'preparing' \(fence(.preparing))"
    static let build = "UPDATE attempts SET state = 'building' \(fence(.building))"
    static let start = "UPDATE attempts SET state = 'running', started_at_ms = ? \(fence(.started))"
    static let finish = """
        UPDATE attempts SET state = 'finished', unreachable_since_ms = NULL, started_at_ms = ?, finished_at_ms = ?,
            cause = ?, fault = ?, exit_code = ?, signal = ?, message = ?, command_started = ?, retryable = ?,
            evidence = ?, downloads = ?
        \(fence(.ended(.anyOutcome)))
        """
    static let giveBack = """
        UPDATE attempts SET state = 'lost', unreachable_since_ms = NULL, finished_at_ms = ? \(fence(.returned))
        """
    static let lose = loss(to: .lost, event: .lost)
    static let supersede = loss(to: .superseded, event: .superseded)

    private static func loss(to state: AttemptState, event: AttemptEvent) -> String {
        """
        UPDATE attempts SET state = '\(state.rawValue)', finished_at_ms = ?, cause = ?, fault = ?, message = ?,
            command_started = ?, retryable = ?
        \(fence(event))
        """
    }

    static let insertLateResult = """
        INSERT INTO late_results (attempt, received_at_ms, outcome, evidence) VALUES (?, ?, ?, ?)
        ON CONFLICT (attempt) DO NOTHING
        """

    static let startJob = """
        UPDATE jobs SET state = 'running', started_at_ms = ?, queue_deadline_ms = NULL
        WHERE sequence = ? AND state IN ('starting', 'running')
        """
    static let finishJob = """
        UPDATE jobs SET state = ?, cause = ?, fault = ?, exit_code = ?, signal = ?, message = ?,
            started_at_ms = ?, finished_at_ms = ?
        WHERE sequence = ? AND state IN ('starting', 'running')
        """
    static let requeueJob = """
        UPDATE jobs SET state = 'queued', started_at_ms = NULL, not_before_ms = ?,
            queue_deadline_ms = CASE WHEN ? THEN NULL ELSE queue_deadline_ms END,
            not_started_count = ?, lost_running_count = ?, workers_lost_count = ?, user_failure_count = ?
        WHERE sequence = ? AND state IN ('starting', 'running')
        """

    private static let live = """
        SELECT attempts.id, attempts.epoch, attempts.worker, attempts.state, attempts.created_at_ms,
            attempts.started_at_ms, attempts.unreachable_since_ms, attempts.boot_id, jobs.id AS job, jobs.cpu_millis,
            jobs.memory_bytes, jobs.disk_bytes, jobs.cancel_requested_at_ms, job_specs.spec
        FROM attempts JOIN jobs ON jobs.sequence = attempts.job JOIN job_specs ON job_specs.job = jobs.sequence
        WHERE attempts.finished_at_ms IS NULL
        """
    static let liveOfAll = "\(live) ORDER BY attempts.sequence"
    static let liveOfWorker = "\(live) AND attempts.worker = ? ORDER BY attempts.sequence"
    static let setUnreachable = """
        UPDATE attempts SET unreachable_since_ms = ? WHERE worker = ? AND finished_at_ms IS NULL
        """
}

extension Outcome {
    /// Stands for any outcome where only the kind of event counts.
    fileprivate static let anyOutcome = Outcome(cause: .exited)
}
