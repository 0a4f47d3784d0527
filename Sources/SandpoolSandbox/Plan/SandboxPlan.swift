/// One sandbox as plain data: what the launcher makes, with nothing left to decide.
///
/// The worker writes it, the launcher reads it from a sealed memfd and trusts none of it: names are ids or
/// paths *inside* the sandbox, never host paths.
public struct SandboxPlan: Equatable, Sendable {
    /// Names everything made for the sandbox: `[a-z0-9-]{1,64}`.
    public var id: String
    /// The program and its arguments; the program is looked up in `PATH` inside the sandbox.
    public var arguments: [String]
    /// `NAME=VALUE` entries, the whole environment.
    public var environment: [String]
    /// Absolute path inside the sandbox; made when the image lacks it.
    public var workingDirectory: String
    /// A name to look up in the sandbox's `/etc/passwd`, or a uid 0–65535 in decimal.
    public var user: String
    public var hostname: String
    /// What the root file system is laid over.
    public var root: Root
    /// Uploaded trees, laid over the root in this order.
    public var mounts: [TreeMount]
    public var limits: Limits
    public var timers: Timers
    public var network: Network
    public var capabilities: CapabilityProfile
    public var stdin: StandardInput
    /// Absolute paths inside the sandbox that the launcher archives to `downloadSink` when the command ended.
    public var downloads: [String]
    /// What happens when a stream has more output than `limits.outputBytes`.
    public var onOutputLimit: OutputLimitAction
    /// Whether memory, processes and processor are limited only where this host can: nobody asked for these limits.
    public var leavesOutLimits: Bool

    /// The lower layers of the root.
    public enum Root: Equatable, Sendable {
        /// The host's own `/usr`, read-only, over a generated skeleton.
        case host
        /// Layers in the launcher's storage by id, lowest first.
        case layers([String])
        /// Nothing but a generated skeleton.
        case scratch
    }

    /// An uploaded tree in the launcher's storage, laid at `path` with the sandbox's own layer above it.
    public struct TreeMount: Equatable, Sendable {
        /// The layer's id in the launcher's storage.
        public var layer: String
        /// Absolute path inside the sandbox.
        public var path: String
        /// Whether the layer holds one file, whose name is `content`, that `path` stands for.
        public var isFile: Bool

        public init(layer: String, path: String, isFile: Bool) {
            self.layer = layer
            self.path = path
            self.isFile = isFile
        }
    }

    /// What is enforced; every value is required, and one that cannot be enforced is an error.
    public struct Limits: Equatable, Sendable {
        public var memoryBytes: UInt64
        /// Thousandths of a processor.
        public var cpuMillis: UInt32
        public var pids: UInt32
        /// Bytes of the writable layer.
        public var diskBytes: UInt64
        /// Bytes kept of each output stream; what comes after is dropped with a mark.
        public var outputBytes: UInt64

        public init(memoryBytes: UInt64, cpuMillis: UInt32, pids: UInt32, diskBytes: UInt64, outputBytes: UInt64) {
            self.memoryBytes = memoryBytes
            self.cpuMillis = cpuMillis
            self.pids = pids
            self.diskBytes = diskBytes
            self.outputBytes = outputBytes
        }
    }

    /// Milliseconds on CLOCK_BOOTTIME, counted from `started`.
    public struct Timers: Equatable, Sendable {
        /// To the SIGTERM.
        public var timeoutMs: UInt64
        /// From SIGTERM to the kill of the whole sandbox.
        public var graceMs: UInt64
        /// Without a byte of output, to the SIGTERM. 0: no such limit.
        public var idleMs: UInt64

        public init(timeoutMs: UInt64, graceMs: UInt64, idleMs: UInt64) {
            self.timeoutMs = timeoutMs
            self.graceMs = graceMs
            self.idleMs = idleMs
        }
    }

    public enum Network: Equatable, Sendable {
        /// Loopback only.
        case blocked
        /// Routed out through NAT. Private and host addresses are dropped unless in `openedCIDRs` (the
        /// worker's `--egress-allow`). With `allowCIDRs` or `allowDomains` not empty, only those are reachable.
        case open(allowCIDRs: [String], allowDomains: [String], openedCIDRs: [String])
    }

    /// Which capabilities the command keeps inside its user namespace.
    public enum CapabilityProfile: UInt8, Equatable, Sendable {
        /// None.
        case run = 0
        /// What package managers need: CHOWN, DAC_OVERRIDE, FOWNER, FSETID, SETUID, SETGID, SETFCAP,
        /// SYS_CHROOT, KILL.
        case build = 1
    }

    public enum StandardInput: UInt8, Equatable, Sendable {
        /// `/dev/null`.
        case none = 0
        /// A pipe whose write end the worker gets with `started`.
        case pipe = 1
    }

    public enum OutputLimitAction: UInt8, Equatable, Sendable {
        /// The command goes on; what comes after the limit is dropped.
        case truncate = 0
        /// The sandbox is killed.
        case end = 1
    }

    public init(
        id: String, arguments: [String], environment: [String], workingDirectory: String, user: String,
        hostname: String, root: Root, mounts: [TreeMount], limits: Limits, timers: Timers, network: Network,
        capabilities: CapabilityProfile, stdin: StandardInput, downloads: [String],
        onOutputLimit: OutputLimitAction = .truncate, leavesOutLimits: Bool = false
    ) {
        self.id = id
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.user = user
        self.hostname = hostname
        self.root = root
        self.mounts = mounts
        self.limits = limits
        self.timers = timers
        self.network = network
        self.capabilities = capabilities
        self.stdin = stdin
        self.downloads = downloads
        self.onOutputLimit = onOutputLimit
        self.leavesOutLimits = leavesOutLimits
    }
}
