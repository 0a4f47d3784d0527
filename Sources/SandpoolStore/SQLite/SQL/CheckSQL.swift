/// Statements of the checker. They read whole tables in the order of their keys, one row at a time.
enum CheckSQL {
    static let jobs = """
        SELECT jobs.sequence, jobs.id, jobs.name, jobs.state, jobs.priority, jobs.image, jobs.require,
            jobs.idempotency_key, jobs.epoch, jobs.not_started_count, jobs.lost_running_count,
            jobs.workers_lost_count, jobs.user_failure_count, jobs.created_at_ms, jobs.cancel_requested_at_ms,
            jobs.started_at_ms, jobs.finished_at_ms, jobs.cause, jobs.exit_code, jobs.signal, job_specs.spec
        FROM jobs LEFT JOIN job_specs ON job_specs.job = jobs.sequence
        ORDER BY jobs.sequence
        """
    static let attempts = """
        SELECT sequence, id, worker, epoch, state, created_at_ms, started_at_ms, finished_at_ms,
            cause, exit_code, signal, message, command_started, retryable, evidence, downloads
        FROM attempts WHERE job = ? ORDER BY epoch
        """
    static let tags = "SELECT key, value FROM job_tags INDEXED BY job_tags_by_job WHERE job = ?"
    static let tails = "SELECT stream, offset, length(bytes) AS count FROM output_tails WHERE attempt = ?"

    static let tail = """
        SELECT stream, offset, bytes FROM output_tails JOIN attempts ON attempts.sequence = output_tails.attempt
        WHERE attempts.id = ? AND stream = ?
        """

    static let strayLeases = """
        SELECT attempts.id, attempts.worker FROM attempts LEFT JOIN workers ON workers.id = attempts.worker
        WHERE attempts.finished_at_ms IS NULL AND workers.id IS NULL
        """
    static let secondResults = """
        SELECT attempts.id FROM late_results JOIN attempts ON attempts.sequence = late_results.attempt
        WHERE attempts.state NOT IN ('lost', 'superseded')
        """
    static let identities = "SELECT count(*) AS identities FROM coordinator WHERE generation > 0"

    static let jobState = "SELECT state FROM jobs WHERE id = ?"
    static let jobOfAttempt = """
        SELECT jobs.id FROM attempts JOIN jobs ON jobs.sequence = attempts.job WHERE attempts.id = ?
        """
}
