import SandpoolModel

/// The worker session: one duplex request, `POST /v1/worker/session`, whose request body carries frames from
/// the worker and whose response body carries frames to it. `application/vnd.sandpool.frames`.
public enum WorkerSession {
    public static let version = 3
    public static let contentType = "application/vnd.sandpool.frames"

    /// Codes of a `failed` in place of the welcome that trying again does not change.
    public enum Refusal: String, Sendable {
        /// The worker speaks another version of the session.
        case unsupportedVersion = "unsupported_version"
        /// The worker's id was enrolled with another token.
        case foreignWorker = "foreign_worker"
        /// `hello` says what cannot be.
        case invalidMessage = "invalid_message"
    }
}

/// What a worker tells the coordinator.
public enum WorkerMessage: Codable, Hashable, Sendable {
    /// The first frame: everything the worker is and holds.
    case hello(WorkerHello)
    /// Attempts moved on. Answered by nothing: the result repeats what counts.
    case progress([AttemptProgress])
    /// Attempts ended and are in the worker's journal. Each is answered in `recorded`, and repeated until it is.
    case results([AttemptResult])
    /// Attempts given back without having been started.
    case returned([AttemptLease])
    /// Renews every lease that this worker holds. `sentMs` is the worker's CLOCK_BOOTTIME, echoed back.
    case heartbeat(sentMs: Int64)
    /// How much of standard input the command's pipe took, so that the sender's window moves.
    case inputConsumed(AttemptLease, offset: Int64)
    /// The command of an exec runs. What it writes follows in output frames that carry the exec's id.
    case execStarted(ExecID)
    /// As `inputConsumed`, of an exec.
    case execInputConsumed(ExecID, offset: Int64)
    /// The end of an exec, behind all its output; nothing of it follows.
    case execEnded(ExecResult)
}

/// What the coordinator tells a worker.
public enum CoordinatorMessage: Codable, Hashable, Sendable {
    case welcome(WorkerWelcome)
    case assign([Assignment])
    /// End the attempt: SIGTERM, grace, kill.
    case cancel(AttemptLease)
    case signal(AttemptLease, signal: Int)
    /// Whatever runs under this lease is not wanted any more: kill it and forget it without a report. What has ended
    /// is reported all the same, and answered.
    case kill(AttemptLease)
    /// What became of reported results; the worker drops them from its journal.
    case recorded([RecordedResult])
    /// Bytes up to these offsets are on the coordinator's disk.
    case outputDurable(AttemptLease, stdout: Int64, stderr: Int64)
    case heartbeat(sentMs: Int64)
    /// Take nothing new and give back what was not started.
    case drain
    /// Run a further command in the sandbox of an attempt. It belongs to this session and ends with it. Frames with its
    /// standard input follow under its id.
    case exec(ExecAssignment)
    case execSignal(ExecID, signal: Int)
    /// End the command: SIGTERM, grace, kill.
    case execCancel(ExecID)
    /// As `execCancel`, and nobody wants its output any more: only its end is told.
    case execLeave(ExecID)
    /// The client took the output up to these offsets, so that the worker's window moves.
    case execOutputTaken(ExecID, stdout: Int64, stderr: Int64)
    /// The session failed; nothing follows. In place of the welcome it may be a `WorkerSession.Refusal`.
    case failed(APIError)
}

/// An attempt and the epoch under which it is held.
public struct AttemptLease: Codable, Hashable, Sendable {
    public var attempt: AttemptID
    public var epoch: Int64

    public init(attempt: AttemptID, epoch: Int64) {
        self.attempt = attempt
        self.epoch = epoch
    }
}

public struct WorkerHello: Codable, Hashable, Sendable {
    public var version: Int
    /// The id that the worker keeps in its data directory.
    public var id: WorkerID
    public var name: String
    /// `/proc/sys/kernel/random/boot_id`: another one proves that nothing from before is alive.
    public var bootID: String
    public var capacity: Resources
    public var labels: [String: String]
    /// Images that can be started without fetching or building.
    public var images: [String]
    public var offersHostImage: Bool
    /// Every attempt that is still running or has an unrecorded result.
    public var held: [HeldAttempt]
    public var softwareVersion: String
    /// What came out when it attacked its own sandboxes. One that is not trusted gets no jobs.
    public var verification: VerificationSummary?
    /// Whether a job's disk may be as large as its memory, or larger. One that does not say so does not know.
    public var makesDisks: Bool?
    /// When it was sent, by the host's clock since boot (CLOCK_BOOTTIME): one that the network held back is not taken
    /// for news.
    public var sentMs: Int64?
    /// Names the worker's process: what was held against an earlier one says nothing of this one.
    public var process: String?
    /// Attempts that it gave back without having begun them, and that the coordinator may not have been told of. None
    /// where it does not say.
    public var returned: [AttemptLease]?

    public init(
        version: Int = WorkerSession.version, id: WorkerID, name: String, bootID: String, capacity: Resources,
        labels: [String: String], images: [String], offersHostImage: Bool, held: [HeldAttempt],
        softwareVersion: String, verification: VerificationSummary? = nil, makesDisks: Bool? = nil,
        sentMs: Int64? = nil, process: String? = nil, returned: [AttemptLease]? = nil
    ) {
        self.version = version
        self.id = id
        self.name = name
        self.bootID = bootID
        self.capacity = capacity
        self.labels = labels
        self.images = images
        self.offersHostImage = offersHostImage
        self.held = held
        self.softwareVersion = softwareVersion
        self.verification = verification
        self.makesDisks = makesDisks
        self.sentMs = sentMs
        self.process = process
        self.returned = returned
    }
}

/// An attempt that a worker holds when it connects.
public struct HeldAttempt: Codable, Hashable, Sendable {
    public var lease: AttemptLease
    public var state: AttemptState
    /// Bytes of output that the worker has, so that the coordinator can say where to go on.
    public var stdoutBytes: Int64
    public var stderrBytes: Int64

    public init(lease: AttemptLease, state: AttemptState, stdoutBytes: Int64, stderrBytes: Int64) {
        self.lease = lease
        self.state = state
        self.stdoutBytes = stdoutBytes
        self.stderrBytes = stderrBytes
    }
}

public struct WorkerWelcome: Codable, Hashable, Sendable {
    public var version: Int
    /// Counts the coordinator's starts.
    public var generation: Int64
    public var leaseSeconds: Double
    public var heartbeatSeconds: Double
    /// How long the coordinator hears nothing before another attempt takes the place of one that may be run again; the
    /// worker ends its own before that. Four leases where it does not say so.
    public var replaceSeconds: Double?
    /// Held attempts that go on, or whose result is waited for, with the output offsets that are durable.
    public var keep: [HeldAttempt]
    /// Held attempts that are not wanted any more.
    public var kill: [AttemptLease]

    public init(
        version: Int = WorkerSession.version, generation: Int64, leaseSeconds: Double, heartbeatSeconds: Double,
        replaceSeconds: Double? = nil, keep: [HeldAttempt], kill: [AttemptLease]
    ) {
        self.version = version
        self.generation = generation
        self.leaseSeconds = leaseSeconds
        self.heartbeatSeconds = heartbeatSeconds
        self.replaceSeconds = replaceSeconds
        self.keep = keep
        self.kill = kill
    }
}

/// One attempt to run. The spec is complete: every default is filled in.
public struct Assignment: Codable, Hashable, Sendable {
    public var lease: AttemptLease
    public var job: JobID
    public var spec: JobSpec

    public init(lease: AttemptLease, job: JobID, spec: JobSpec) {
        self.lease = lease
        self.job = job
        self.spec = spec
    }
}

public struct AttemptProgress: Codable, Hashable, Sendable {
    public var lease: AttemptLease
    /// `preparing`, `building` or `running`.
    public var state: AttemptState
    public var at: Timestamp

    public init(lease: AttemptLease, state: AttemptState, at: Timestamp) {
        self.lease = lease
        self.state = state
        self.at = at
    }
}

/// The end of an attempt. Output that was not sent in frames before rides along.
public struct AttemptResult: Codable, Hashable, Sendable {
    public var lease: AttemptLease
    public var outcome: Outcome
    public var evidence: Evidence
    public var startedAt: Timestamp?
    public var finishedAt: Timestamp
    /// The tail of each stream that no output frame carried, base64 in JSON; at most `inlineLimit` bytes each.
    public var stdoutTail: OutputTail?
    public var stderrTail: OutputTail?
    /// Blobs (`sha256:…`) of the archives of the spec's `downloads`, in one tar archive.
    public var downloads: String?

    /// Most bytes of a stream that ride inside a result.
    public static let inlineLimit = 32 << 10

    public init(
        lease: AttemptLease, outcome: Outcome, evidence: Evidence, startedAt: Timestamp?, finishedAt: Timestamp,
        stdoutTail: OutputTail? = nil, stderrTail: OutputTail? = nil, downloads: String? = nil
    ) {
        self.lease = lease
        self.outcome = outcome
        self.evidence = evidence
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.stdoutTail = stdoutTail
        self.stderrTail = stderrTail
        self.downloads = downloads
    }
}

/// The last bytes of a stream and where they stand in it.
public struct OutputTail: Codable, Hashable, Sendable {
    public var offset: Int64
    /// Base 64 (RFC 4648).
    public var base64: String

    public init(offset: Int64, base64: String) {
        self.offset = offset
        self.base64 = base64
    }
}

public struct RecordedResult: Codable, Hashable, Sendable {
    public var lease: AttemptLease
    public var verdict: Verdict

    public enum Verdict: String, Codable, Hashable, Sendable {
        /// Stored now.
        case recorded
        /// Had been stored before.
        case duplicate
        /// Refused: the lease is not this worker's any more. Kept aside as `superseded`.
        case fenced
    }

    public init(lease: AttemptLease, verdict: Verdict) {
        self.lease = lease
        self.verdict = verdict
    }
}
