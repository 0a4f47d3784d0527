import SandpoolModel

/// A worker as `GET /v1/workers` lists it.
public struct WorkerInfo: Codable, Hashable, Sendable {
    public var id: WorkerID
    public var name: String
    /// `connected`, `unreachable`, `draining`, `quarantined`, `gone`.
    public var state: String
    public var labels: [String: String]
    public var capacity: Resources
    public var used: Resources
    public var running: Int
    public var images: [String]
    public var softwareVersion: String
    public var connectedAt: Timestamp?
    public var lastSeenAt: Timestamp
    /// Why it gets nothing new, and when what it still runs is ended.
    public var drainReason: String?
    public var drainDeadline: Timestamp?
    /// Why it gets nothing until a job tries it, and when one may; of a worker that failed to set sandboxes up.
    public var quarantineReason: String?
    public var quarantinedUntil: Timestamp?
    /// What came out when it attacked its own sandboxes; of a connected worker.
    public var verification: VerificationSummary?
    /// Whether a job's disk may be as large as its memory, or larger.
    public var makesDisks: Bool?

    public init(
        id: WorkerID, name: String, state: String, labels: [String: String], capacity: Resources, used: Resources,
        running: Int, images: [String], softwareVersion: String, connectedAt: Timestamp?, lastSeenAt: Timestamp,
        drainReason: String? = nil, drainDeadline: Timestamp? = nil, verification: VerificationSummary? = nil,
        makesDisks: Bool? = nil, quarantineReason: String? = nil, quarantinedUntil: Timestamp? = nil
    ) {
        self.id = id
        self.name = name
        self.state = state
        self.labels = labels
        self.capacity = capacity
        self.used = used
        self.running = running
        self.images = images
        self.softwareVersion = softwareVersion
        self.connectedAt = connectedAt
        self.lastSeenAt = lastSeenAt
        self.drainReason = drainReason
        self.drainDeadline = drainDeadline
        self.verification = verification
        self.makesDisks = makesDisks
        self.quarantineReason = quarantineReason
        self.quarantinedUntil = quarantinedUntil
    }
}

/// The body of `POST /v1/workers/REF/drain`; it may be left out.
public struct DrainRequest: Codable, Hashable, Sendable {
    /// One line for people, 1 to 1,024 bytes.
    public var reason: String?
    /// In how many seconds what still runs is ended; without it, it may finish.
    public var deadlineSeconds: Double?

    private enum CodingKeys: String, CodingKey, CaseIterable { case reason, deadlineSeconds }

    public init(reason: String? = nil, deadlineSeconds: Double? = nil) {
        self.reason = reason
        self.deadlineSeconds = deadlineSeconds
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
        reason = try values.decodeIfPresent(String.self, forKey: .reason)
        deadlineSeconds = try values.decodeIfPresent(Double.self, forKey: .deadlineSeconds)
    }
}

/// What `GET /v1/jobs/REF/why` answers: what a job waits for, or what ended it, in lines for people.
public struct Explanation: Codable, Hashable, Sendable {
    public var id: JobID
    public var state: JobState
    public var reasons: [String]

    public init(id: JobID, state: JobState, reasons: [String]) {
        self.id = id
        self.state = state
        self.reasons = reasons
    }
}

/// A token as it is listed; the secret is shown once, by `CreatedToken`.
public struct TokenInfo: Codable, Hashable, Sendable {
    public var id: TokenID
    public var name: String
    public var role: TokenRole
    /// The only worker that may use it.
    public var worker: WorkerID?
    public var createdAt: Timestamp
    public var revokedAt: Timestamp?

    public init(
        id: TokenID, name: String, role: TokenRole, worker: WorkerID? = nil, createdAt: Timestamp, revokedAt: Timestamp?
    ) {
        self.id = id
        self.name = name
        self.role = role
        self.worker = worker
        self.createdAt = createdAt
        self.revokedAt = revokedAt
    }
}

public struct CreateToken: Codable, Hashable, Sendable {
    public var name: String
    public var role: TokenRole
    /// An enrolled worker, by id, name or unique suffix of its id, whose next token it is to be.
    public var worker: String?

    public init(name: String, role: TokenRole, worker: String? = nil) {
        self.name = name
        self.role = role
        self.worker = worker
    }
}

public struct CreatedToken: Codable, Hashable, Sendable {
    public var token: TokenInfo
    /// The bearer token. It is stored nowhere but as a hash.
    public var secret: String

    public init(token: TokenInfo, secret: String) {
        self.token = token
        self.secret = secret
    }
}

/// The answer to an uploaded blob.
public struct BlobInfo: Codable, Hashable, Sendable {
    /// `sha256:` and 64 hexadecimal digits.
    public var digest: String
    public var bytes: Int64

    public init(digest: String, bytes: Int64) {
        self.digest = digest
        self.bytes = bytes
    }
}

/// The body of `POST /v1/jobs/REF/signal`.
public struct SignalRequest: Codable, Hashable, Sendable {
    public var signal: Int

    public init(signal: Int) { self.signal = signal }
}
