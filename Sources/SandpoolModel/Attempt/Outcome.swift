/// How an attempt ended, as its worker reports it.
public struct Outcome: Hashable, Sendable, Codable {
    public var cause: Cause
    /// Exit status 0–255 of the main command, where it exited and was reaped.
    public var exitCode: Int?
    /// Number of the signal that ended the main command, where one did.
    public var signal: Int?
    /// One line for people: what happened, in which stage, and what to do.
    public var message: String?
    /// Whether the command was exec'd. While `false`, trying again elsewhere can do no harm.
    public var commandStarted: Bool
    /// Whether the same attempt may succeed elsewhere: `false` for what the spec itself makes impossible,
    /// such as a command that the image does not have.
    public var isRetryable: Bool

    public init(
        cause: Cause, exitCode: Int? = nil, signal: Int? = nil, message: String? = nil,
        commandStarted: Bool = true, isRetryable: Bool = true
    ) {
        self.cause = cause
        self.exitCode = exitCode
        self.signal = signal
        self.message = message
        self.commandStarted = commandStarted
        self.isRetryable = isRetryable
    }

    /// The code that a shell would report: the exit code, or 128 plus the signal's number; 124 for a time
    /// limit; 137 for an end by force. `nil` where the command never ended by itself or by the user's will.
    public var returnCode: Int? {
        switch cause {
        case .exited, .diskLimit: exitCode ?? signal.map { 128 + $0 }
        case .signaled: signal.map { 128 + $0 }
        case .oom, .outputLimit, .cancelled: 137
        case .timeout, .idleTimeout, .queueTimeout: 124
        case .buildFailed, .setupFailed, .fetchFailed, .workerLost, .preempted: nil
        }
    }

    /// The state of a job that ends with this outcome.
    public var jobState: JobState {
        switch cause {
        case .exited: exitCode == 0 ? .succeeded : .failed
        case .signaled, .oom, .diskLimit, .outputLimit: .failed
        case .timeout, .idleTimeout, .queueTimeout: .timedOut
        case .cancelled: .cancelled
        case .buildFailed, .setupFailed, .fetchFailed, .workerLost, .preempted: .errored
        }
    }
}

/// What was measured of an attempt, read before its cgroup was removed.
public struct Evidence: Hashable, Sendable, Codable {
    /// `init` (the sandbox's pid 1 reaped the command) or `launcher` (only pid 1's end was seen).
    public var reapedBy: String?
    public var wallMs: Int64?
    public var cpuMs: Int64?
    public var peakMemoryBytes: Int64?
    public var oomKills: Int64?
    public var stdoutBytes: Int64 = 0
    public var stderrBytes: Int64 = 0
    /// `sha256:` and the digest of all that the command wrote to a stream, which is cut at its limit. Absent for a
    /// stream without a byte, and where the worker could not read them all.
    public var stdoutDigest: String?
    public var stderrDigest: String?
    /// The coordinator's word: bytes at the end of a stream that never came, since their host lost them.
    public var lostStdoutBytes: Int64?
    public var lostStderrBytes: Int64?
    /// Whether output beyond the limit was dropped.
    public var outputTruncated = false
    /// Bytes and inodes that the writable layer held at the end, beyond what it began with.
    public var diskBytes: Int64?
    public var inodes: Int64?
    /// Which mechanism bounds the writable layer: `tmpfs`, which is counted in the memory, `loop`, a file system of
    /// its own over a loop device, or `project_quota`, a directory with a limit.
    public var writableLayer: String?
    /// Which timer fired, if one did: `timeout`, `idle_timeout`.
    public var timer: String?
    /// Milliseconds that output stood still because the spool was full.
    public var stalledMs: Int64 = 0
    /// Milliseconds spent in each stage, by name.
    public var stagesMs: [String: Int64] = [:]
    /// What the `host` image was: a fingerprint of the worker's `/usr`.
    public var hostFingerprint: String?
    /// The places in the spec's `mounts` of those that the command wrote to; what it wrote there is gone.
    public var changedMounts: [Int]?
    /// The limits that nobody asked for and that this host could not enforce: `cpus`, `memoryBytes`, `pids`. What
    /// such limits measure is absent then.
    public var leftOutLimits: [String]?
    /// How often its open network ended while it ran, if it did: connections of that moment are lost. Where the network
    /// could not be made again, nothing was reached from the last time on.
    public var networkInterruptions: Int64?

    /// What `leftOutLimits` can hold.
    public static let namesOfLimits = ["cpus", "memoryBytes", "pids"]

    public init() {}
}
