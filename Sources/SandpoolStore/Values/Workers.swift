import SandpoolModel

/// What a worker says of itself when it connects.
public struct WorkerRegistration: Hashable, Sendable {
    public var id: WorkerID
    public var name: String
    public var labels: [String: String]
    public var capacity: Resources
    public var images: [String]
    public var offersHostImage: Bool
    /// Another boot id proves that nothing from before is alive.
    public var bootID: String
    public var softwareVersion: String
    /// Whether a job's disk may be as large as its memory, or larger.
    public var makesDisks: Bool

    public init(
        id: WorkerID, name: String, labels: [String: String], capacity: Resources, images: [String],
        offersHostImage: Bool, bootID: String, softwareVersion: String, makesDisks: Bool
    ) {
        self.id = id
        self.name = name
        self.labels = labels
        self.capacity = capacity
        self.images = images
        self.offersHostImage = offersHostImage
        self.bootID = bootID
        self.softwareVersion = softwareVersion
        self.makesDisks = makesDisks
    }
}

/// An enrolled worker.
public struct WorkerRecord: Hashable, Sendable {
    public var registration: WorkerRegistration
    public var drain: Drain?
    public var quarantine: Quarantine?
    public var enrolledAt: Timestamp
    public var lastSeenAt: Timestamp

    public init(
        registration: WorkerRegistration, drain: Drain?, quarantine: Quarantine? = nil, enrolledAt: Timestamp,
        lastSeenAt: Timestamp
    ) {
        self.registration = registration
        self.drain = drain
        self.quarantine = quarantine
        self.enrolledAt = enrolledAt
        self.lastSeenAt = lastSeenAt
    }
}

/// Why a worker gets no more leases.
public struct Drain: Hashable, Sendable {
    /// One line for people; 1…1,024 bytes.
    public var reason: String
    /// When what still runs there is to be ended; `nil`: it may finish.
    public var deadline: Timestamp?

    public init(reason: String, deadline: Timestamp?) {
        self.reason = reason
        self.deadline = deadline
    }
}

/// Why a worker that failed to set up sandboxes gets no more jobs, until one of them tries whether it still does.
public struct Quarantine: Codable, Hashable, Sendable {
    /// One line for people, as short as whoever quarantines makes it.
    public var reason: String
    /// When a job may try the worker.
    public var until: Timestamp
    /// Milliseconds that it was to last when it began or its last trial failed; the next one lasts longer.
    public var backoffMs: Int64
    /// The worker's process in which it came about, as it names itself: another one starts over.
    public var process: String?

    public init(reason: String, until: Timestamp, backoffMs: Int64, process: String?) {
        self.reason = reason
        self.until = until
        self.backoffMs = backoffMs
        self.process = process
    }
}
