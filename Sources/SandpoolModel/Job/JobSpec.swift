/// What a user asks for: one command, what it may see, and what it may use.
///
/// In JSON only `command` is required, every other key has the default below, and an unknown key is an
/// error. Defaults that a pool configures are filled in by the coordinator before the job is stored, so a
/// stored spec is complete.
public struct JobSpec: Hashable, Sendable {
    /// The program and its arguments; never empty. A JSON string instead of an array runs through
    /// `/bin/sh -c`.
    public var command: [String]
    /// `host`, `mmdebstrap:SUITE`, `scratch`, a registry reference or an `im-…` id. `nil`: the pool's default.
    public var image: String?
    /// A name for people; not unique.
    public var name: String?
    /// Free pairs that listings can be narrowed by.
    public var tags: [String: String] = [:]
    /// Variables beside `PATH`, `HOME` and `SANDPOOL_JOB_ID`.
    public var environment: [String: String] = [:]
    /// Absolute path inside the sandbox. `nil`: the image's own, or `/`.
    public var workingDirectory: String?
    /// A name that the image's own `/etc/passwd` knows, or a uid 0–65535. `nil`: the image's own, or 0.
    public var user: String?
    /// Processor, memory and writable layer. `nil` entries: the pool's defaults.
    public var resources = ResourceRequest()
    /// Seconds from `started` to the SIGTERM. `nil`: the pool's default (300 s).
    public var timeoutSeconds: Double?
    /// Seconds between SIGTERM and the kill. `nil`: 10 s.
    public var graceSeconds: Double?
    /// Seconds that the job may wait in the queue. `nil`: without limit.
    public var queueTimeoutSeconds: Double?
    /// Seconds without a byte of output after which the command is ended. `nil`: without limit.
    public var idleTimeoutSeconds: Double?
    /// The network policy.
    public var network = NetworkPolicy()
    /// Uploaded trees laid into the sandbox.
    public var mounts: [Mount] = []
    /// Absolute paths inside the sandbox that are kept as archives when the command ends, also on failure.
    public var downloads: [String] = []
    /// Labels that the worker must have.
    public var require: [String: String] = [:]
    /// Higher goes first; −1000…1000.
    public var priority: Int = 0
    /// How often a failure of the user's command is tried again; 0…10.
    public var retries: Int = 0
    /// Whether a lost attempt that ran may be run again. `nil`: decided from the spec, see `isRerunSafe`.
    public var rerun: RerunPolicy?
    /// The same key with the same spec names the same job; with another spec it is refused.
    public var idempotencyKey: String?
    /// Where standard input comes from.
    public var stdin: StandardInput = .none
    /// What happens when the client that follows the job goes away.
    public var onDisconnect: DisconnectPolicy = .detach
    /// What happens when a stream has more output than `resources.outputBytes`.
    public var onOutputLimit: OutputLimitPolicy = .truncate

    public init(command: [String]) { self.command = command }
}

/// What a job asks of a worker's capacity; `nil` takes the pool's default.
public struct ResourceRequest: Hashable, Sendable {
    /// Processors, such as 0.5 or 2.
    public var cpus: Double?
    public var memoryBytes: Int64?
    public var diskBytes: Int64?
    /// Most processes and threads alive at once.
    public var pids: Int?
    /// Bytes kept of each of stdout and stderr.
    public var outputBytes: Int64?

    public init() {}
}

/// What a sandbox may reach.
public struct NetworkPolicy: Hashable, Sendable {
    /// Whether there is only a loopback device. `nil`: nothing is asked for, and the network is open where the host
    /// can open one; `false` is refused where it cannot.
    public var block: Bool?
    public var isBlocked: Bool { block ?? false }
    /// Where not empty, only these networks (`192.0.2.0/24`) and `allowDomains` can be reached.
    public var allowCIDRs: [String] = []
    /// Domain names; `*.example.org` stands for every name below it.
    public var allowDomains: [String] = []

    public init() {}
}

/// Whether an attempt that ran and was lost may be run again.
public enum RerunPolicy: String, Codable, Sendable { case safe, never }

/// Where a command's standard input comes from.
public enum StandardInput: String, Codable, Sendable {
    /// `/dev/null`.
    case none
    /// Streamed from the client while the command runs.
    case stream
}

/// What becomes of a command that writes more than is kept of a stream.
public enum OutputLimitPolicy: String, Codable, Sendable {
    /// It goes on, and what comes after the limit is dropped, with a mark in its place.
    case truncate
    /// The job ends as `output_limit`; what came up to the limit is kept, with the mark behind it.
    case end
}

/// What becomes of a job whose following client vanished.
public enum DisconnectPolicy: String, Codable, Sendable {
    /// Cancelled after a minute without a follower.
    case cancel
    /// Goes on.
    case detach
}

extension JobSpec {
    /// Whether a second run after a lost one can do no harm: nothing outside the sandbox can have seen the
    /// first, and its input can be given again.
    public var isRerunSafe: Bool {
        switch rerun {
        case .safe: true
        case .never: false
        case nil: network.isBlocked && stdin == .none
        }
    }
}
