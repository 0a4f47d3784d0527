import SandpoolModel

/// Everything that the coordinator must not forget: jobs, attempts, leases, workers, tokens.
///
/// - Every write is durable when its method returns: it was committed and synced.
/// - Every write of an attempt is fenced by its `LeaseKey`; a stale one changes nothing.
/// - No method reads a clock: the caller passes `now`, so that tests and the simulator own time.
/// - Errors are `StoreError`, or `CancellationError` from a read whose task was cancelled. A write that was
///   queued is not taken back by cancelling its task.
/// - Inputs are bounded by `StoreLimits`.
public protocol JobStore: Sendable {
    /// Which database this is and how often it was opened.
    var identity: StoreIdentity { get }

    /// Waits for queued writes and closes; every later call throws `StoreError.closed`.
    func close() async throws

    // MARK: Submitting and reading jobs

    /// Stores all of `jobs`, or none where one of them conflicts.
    func submit(_ jobs: [NewJob], now: Timestamp) async throws -> SubmitOutcome

    /// The job with its attempts, oldest first.
    func job(_ id: JobID) async throws -> Job?

    /// Jobs that match, newest first.
    func jobs(_ query: JobQuery) async throws -> [Job]

    /// Finds the job that a user names; of several with the same name the newest.
    func resolve(_ reference: JobReference) async throws -> Resolution

    /// How many jobs are in each state; states without a job are left out.
    func counts() async throws -> [JobState: Int]

    // MARK: Queue

    /// The first jobs of the queue that may start: by priority, then age. The cost depends on `limit`, not on
    /// the length of the queue.
    ///
    /// - Parameter position: where an earlier page ended; `nil` begins at the head.
    func claimable(limit: Int, after position: QueuePosition?) async throws -> [QueuedJob]

    /// The first job of each demand that jobs which may start have, by `QueuedJob.demand`. The cost depends on
    /// `limit`, not on the length of the queue.
    ///
    /// - Parameter demand: where an earlier page ended; `nil` for the first page.
    func demands(limit: Int, after demand: String?) async throws -> [QueuedJob]

    /// The first jobs of one demand that may start: by priority, then age.
    func claimable(limit: Int, of demand: String) async throws -> [QueuedJob]

    /// Gives jobs to workers in one transaction: each becomes an attempt with the next epoch of its job. One
    /// answer for each request, in order.
    func lease(_ requests: [LeaseRequest], now: Timestamp) async throws -> [LeaseAnswer]

    /// Ends queued jobs whose queue timeout passed and makes delayed retries claimable whose delay passed, at
    /// most `StoreLimits.batch` of each. A delay longer than any retry's was counted from a clock that has been set
    /// back since, and has passed too.
    func advanceQueue(now: Timestamp) async throws -> QueueAdvance

    /// When `advanceQueue` has something to do next; in the past where it has now, `nil` where never.
    func nextQueueDeadline() async throws -> Timestamp?

    /// Cancels a job: at once where it is queued, else by a flag that keeps it from being retried.
    func cancel(_ id: JobID, now: Timestamp) async throws -> CancelAnswer

    // MARK: Attempts

    /// Records that attempts moved on. One answer for each report, in order.
    func recordProgress(_ reports: [ProgressReport], now: Timestamp) async throws -> [Verdict]

    /// Records how attempts ended, and what that makes of their jobs. A result for an attempt that was lost or
    /// superseded is kept aside and answered `fenced`. One answer for each report, in order.
    func recordResults(_ reports: [ResultReport], now: Timestamp) async throws -> [EndAnswer]

    /// Takes attempts back that were never started: their jobs return to the queue at once, and no retry is
    /// used up.
    func returnLeases(_ leases: [LeaseKey], now: Timestamp) async throws -> [EndAnswer]

    /// Ends attempts without their workers' word: proof of death, too long a silence, or a replacement.
    func recordLosses(_ losses: [LossReport], now: Timestamp) async throws -> [EndAnswer]

    /// Attempts that are not terminal, of one worker or of all, oldest first.
    func liveAttempts(worker: WorkerID?) async throws -> [LiveAttempt]

    /// Flags the live attempts of a worker as unreachable since a moment, or reachable again with `nil`.
    func setUnreachable(worker: WorkerID, since: Timestamp?) async throws

    // MARK: Output

    /// What is known of an attempt's output; `nil` where there is no such attempt.
    func output(of attempt: AttemptID) async throws -> AttemptOutput?

    /// Digest of the archive of a job's downloads: that of its newest attempt that has one.
    func downloads(of job: JobID) async throws -> String?

    // MARK: Workers

    /// Enrols a worker or updates what it says of itself. A forgotten worker is enrolled again.
    ///
    /// The first token binds the worker's id until it is forgotten, so that who has another worker's token cannot
    /// take its jobs over. A token that was made for this worker takes the first one's place; one that was made for
    /// another enrols nobody else.
    ///
    /// - Parameter token: `nil` for a peer of the coordinator's own socket, which may speak for every worker.
    /// - Throws: `StoreError.foreignWorker` for another token than the first; nothing is changed then.
    func upsertWorker(_ worker: WorkerRegistration, token: TokenID?, now: Timestamp) async throws -> WorkerRecord

    func worker(_ id: WorkerID) async throws -> WorkerRecord?

    /// Every enrolled worker, by name.
    func workers() async throws -> [WorkerRecord]

    /// Records that workers were heard of; `lastSeenAt` never goes back.
    func recordSeen(_ workers: [WorkerID], now: Timestamp) async throws

    /// Stops leases to a worker, or allows them again with `nil`, which ends a quarantine too. Whether it is enrolled.
    func setDrain(_ drain: Drain?, worker: WorkerID) async throws -> Bool

    /// Notes that a worker is quarantined, or is not any more. Leases are refused by whoever asks for them. Whether it
    /// is enrolled.
    func setQuarantine(_ quarantine: Quarantine?, worker: WorkerID) async throws -> Bool

    /// Takes a worker off the list; its attempts are untouched. Whether it was enrolled.
    func forgetWorker(_ id: WorkerID, now: Timestamp) async throws -> Bool

    // MARK: Tokens

    func insertToken(_ token: TokenRecord) async throws

    /// The token with this hash, revoked or not.
    func token(hash: String) async throws -> TokenRecord?

    /// Every token, oldest first.
    func tokens() async throws -> [TokenRecord]

    /// Whether there is such a token. Revoking twice keeps the first moment.
    func revokeToken(_ id: TokenID, now: Timestamp) async throws -> Bool
}
