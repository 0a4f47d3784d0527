/// A job as it reads in the API and on the command line.
public struct Job: Hashable, Sendable, Codable {
    public var id: JobID
    public var name: String?
    public var tags: [String: String]
    public var state: JobState
    public var returnCode: Int?
    public var exitCode: Int?
    public var signal: Int?
    public var cause: Cause?
    public var fault: Fault?
    /// One line for people about the end, such as `oom: limit 1GiB, try --memory 2GiB`.
    public var message: String?
    public var command: [String]
    public var image: String?
    /// The worker of the latest attempt.
    public var worker: WorkerID?
    public var attempts: [Attempt]
    public var spec: JobSpec
    public var createdAt: Timestamp
    public var startedAt: Timestamp?
    public var finishedAt: Timestamp?

    public init(
        id: JobID, name: String? = nil, tags: [String: String] = [:], state: JobState, returnCode: Int? = nil,
        exitCode: Int? = nil, signal: Int? = nil, cause: Cause? = nil, fault: Fault? = nil,
        message: String? = nil, command: [String], image: String? = nil, worker: WorkerID? = nil,
        attempts: [Attempt] = [], spec: JobSpec, createdAt: Timestamp, startedAt: Timestamp? = nil,
        finishedAt: Timestamp? = nil
    ) {
        self.id = id
        self.name = name
        self.tags = tags
        self.state = state
        self.returnCode = returnCode
        self.exitCode = exitCode
        self.signal = signal
        self.cause = cause
        self.fault = fault
        self.message = message
        self.command = command
        self.image = image
        self.worker = worker
        self.attempts = attempts
        self.spec = spec
        self.createdAt = createdAt
        self.startedAt = startedAt
        self.finishedAt = finishedAt
    }
}

/// One try of a job on one worker, as it reads in the API.
public struct Attempt: Hashable, Sendable, Codable {
    public var id: AttemptID
    public var worker: WorkerID
    /// The lease's epoch: every write of the worker carries it, and only the current one is accepted.
    public var epoch: Int64
    public var state: AttemptState
    public var outcome: Outcome?
    public var evidence: Evidence?
    public var createdAt: Timestamp
    public var startedAt: Timestamp?
    public var finishedAt: Timestamp?

    public init(
        id: AttemptID, worker: WorkerID, epoch: Int64, state: AttemptState, outcome: Outcome? = nil,
        evidence: Evidence? = nil, createdAt: Timestamp, startedAt: Timestamp? = nil,
        finishedAt: Timestamp? = nil
    ) {
        self.id = id
        self.worker = worker
        self.epoch = epoch
        self.state = state
        self.outcome = outcome
        self.evidence = evidence
        self.createdAt = createdAt
        self.startedAt = startedAt
        self.finishedAt = finishedAt
    }
}
