import SandpoolModel

/// Where a job stands in the queue: higher priority first, then the older one.
public struct QueuePosition: Hashable, Sendable, Comparable {
    public var priority: Int
    /// Counts submitted jobs, so it orders by age.
    public var sequence: Int64

    public init(priority: Int, sequence: Int64) {
        self.priority = priority
        self.sequence = sequence
    }

    /// Whether `left` goes first.
    public static func < (left: Self, right: Self) -> Bool {
        (right.priority, left.sequence) < (left.priority, right.sequence)
    }
}

/// A job that may start: what a scheduler needs to know of it.
public struct QueuedJob: Hashable, Sendable {
    public var id: JobID
    public var position: QueuePosition
    public var resources: Resources
    /// Labels that the worker must have.
    public var require: [String: String]
    public var image: String?
    /// The resources, labels and image as one word: equal for jobs that fit the same places.
    public var demand: String
    public var createdAt: Timestamp
    /// Workers of its earlier attempts: a retry goes elsewhere where it can.
    public var triedWorkers: [WorkerID]

    public init(
        id: JobID, position: QueuePosition, resources: Resources, require: [String: String], image: String?,
        demand: String, createdAt: Timestamp, triedWorkers: [WorkerID]
    ) {
        self.id = id
        self.position = position
        self.resources = resources
        self.require = require
        self.image = image
        self.demand = demand
        self.createdAt = createdAt
        self.triedWorkers = triedWorkers
    }
}

/// The scheduler's choice of a worker for a job.
public struct LeaseRequest: Hashable, Sendable {
    public var job: JobID
    /// The id that the new attempt gets.
    public var attempt: AttemptID
    public var worker: WorkerID

    public init(job: JobID, attempt: AttemptID, worker: WorkerID) {
        self.job = job
        self.attempt = attempt
        self.worker = worker
    }
}

public enum LeaseAnswer: Hashable, Sendable {
    case leased(LeaseKey, spec: JobSpec)
    /// The job is not claimable: taken, cancelled, expired, delayed or unknown.
    case notClaimable
    /// The worker is not enrolled, or drains.
    case workerUnavailable
}

public struct QueueAdvance: Hashable, Sendable {
    /// Jobs that ended with `queue_timeout`.
    public var expired: [JobID]
    /// How many delayed retries became claimable.
    public var released: Int

    public init(expired: [JobID], released: Int) {
        self.expired = expired
        self.released = released
    }
}

public enum CancelAnswer: Hashable, Sendable {
    /// It was queued and is cancelled now.
    case cancelled
    /// A worker holds it under this lease and has to be told.
    case requested(LeaseKey)
    /// It had ended before.
    case finished(JobState)
    case notFound
}
