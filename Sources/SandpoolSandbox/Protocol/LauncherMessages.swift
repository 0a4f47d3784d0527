/// The protocol between worker and launcher: SEQPACKET messages of at most 64 KiB over a Unix socket, with
/// descriptors as SCM_RIGHTS. One worker at a time; a second connection is refused.
///
/// The first byte of each message is its kind, the rest its fields in order (`LauncherCodec`). The worker
/// opens with `hello`, the launcher answers with `welcome`; a version that the launcher does not know is
/// answered with `refused` and the connection is closed.
public enum LauncherProtocol {
    public static let version: UInt32 = 7
    /// Bound on one message, well under the 256 KiB at which SEQPACKET fails.
    public static let messageLimit = 65_536
    /// Bound on a plan's memfd.
    public static let planLimit = 4 << 20
}

/// What the worker asks.
public enum LauncherRequest: Equatable, Sendable {
    case hello(version: UInt32)
    /// Make a sandbox. Descriptors: the plan's sealed memfd; then, where the plan has downloads, one
    /// writable file that receives them as one tar archive.
    case start(id: String)
    /// Send a signal to the command's process group.
    case signal(id: String, signal: UInt8)
    /// Close the launcher's own copy of the write end of standard input, so that the command sees the end
    /// of its input once the worker has closed its copy.
    case closeInput(id: String)
    /// End the sandbox: SIGTERM, grace, kill. `graceMs` 0 kills at once. The attempt ends `cancelled`.
    case cancel(id: String, graceMs: UInt64)
    /// The worker has the result on disk: forget the sandbox and everything kept for it.
    case release(id: String)
    /// Unpack a tar archive into a new layer. Descriptor: the archive, readable from its start.
    case importLayer(layer: String)
    /// Remove a layer that no sandbox uses.
    case removeLayer(layer: String)
    /// List the layers in storage.
    case listLayers
    /// The worker that started this launcher ends in order: end too, as soon as there is no sandbox. A launcher
    /// that a service manager started takes no notice.
    case dismiss
    /// Run a further command in a sandbox that runs. Descriptor: the sealed memfd of its `ExecPlan`. From here on its
    /// id is one as a sandbox's is: `started`, `failed` and `exited` tell of it, with descriptors as for a sandbox, and
    /// `signal`, `closeInput`, `cancel` and `release` are taken for it. Its `exited` comes before its sandbox's. It
    /// belongs to the connection: when the worker goes, it is killed and forgotten, and no other worker adopts it.
    case exec(id: String, sandbox: String)
}

/// What the launcher answers and tells.
public enum LauncherEvent: Equatable, Sendable {
    /// The answer to `hello`. Descriptor: a SEQPACKET socket for `SpoolProgress` messages, to which the spooler holds
    /// the other end.
    /// Followed by one `starting` or `adopted` for each sandbox that is still there. `makesDisks`: whether a writable
    /// layer may be as large as the sandbox's memory, or larger. `instance`: the same for as long as this launcher
    /// keeps what it was asked for. It forgets a sandbox only when it is told to, or once it has said `failed`; so one
    /// that was asked of this instance, and is neither here nor known to have been released, was never started.
    case welcome(version: UInt32, bootID: String, hostFingerprint: String, makesDisks: Bool, instance: String)
    case refused(message: String)
    /// A sandbox that an earlier worker asked for and heard nothing of yet: `started` or `failed` follows.
    case starting(id: String)
    /// A sandbox that an earlier worker started. Descriptors as with `started`. When it has ended, its
    /// `exited` follows.
    case adopted(id: String, startedBoottimeMs: UInt64)
    /// The command was exec'd. Descriptors: the spools of stdout and stderr, readable with `pread`; then, where the
    /// plan has standard input, the write end of its pipe and a file in memory through which all of it goes, by
    /// sendfile(2) with the file's own offset.
    case started(id: String, startedBoottimeMs: UInt64)
    /// The command was not exec'd; everything made for the sandbox is gone.
    case failed(id: String, failure: SandboxFailure)
    /// The sandbox is gone, its output is complete in the spools.
    case exited(id: String, report: ExitReport)
    case layerReady(layer: String, bytes: UInt64)
    case layerFailed(layer: String, message: String)
    case layers([String])
}

/// Which part of a start failed and how.
public struct SandboxFailure: Equatable, Sendable {
    /// Such as `cgroup`, `overlay`, `network`, `user`, `workdir`, `exec`.
    public var stage: String
    /// The system call's error, or 0.
    public var errno: Int32
    /// One line for people.
    public var message: String
    /// What kind of end the user sees.
    public var kind: Kind

    public enum Kind: UInt8, Equatable, Sendable {
        /// This host could not do it; another may.
        case setup = 0
        /// The command is not in the image: 127.
        case commandNotFound = 1
        /// The command is there and cannot be executed: 126.
        case commandNotExecutable = 2
        /// The spec cannot work on any host with this image: an unknown user, a working directory that is
        /// a file, a limit that cannot be enforced.
        case spec = 3
        /// The sandbox's memory was full, so that a further command could not begin: `oom`.
        case memory = 4
    }

    public init(stage: String, errno: Int32, message: String, kind: Kind) {
        self.stage = stage
        self.errno = errno
        self.message = message
        self.kind = kind
    }
}

/// How a sandbox ended, and what was measured before its cgroup was removed.
public struct ExitReport: Equatable, Sendable {
    public var end: End
    /// Why the launcher ended it, if it did.
    public var reason: Reason
    public var oomKills: UInt64
    public var cpuMs: UInt64
    public var wallMs: UInt64
    public var peakMemoryBytes: UInt64
    public var stdoutBytes: UInt64
    public var stderrBytes: UInt64
    public var outputTruncated: Bool
    public var stalledMs: UInt64
    public var diskBytes: UInt64
    public var inodes: UInt64
    /// Whether the writable layer had no room left at the end.
    public var diskFull: Bool
    /// Microseconds from the request to `started`.
    public var setupMicros: UInt64
    /// What went wrong with the downloads; empty when nothing did.
    public var downloadMessage: String
    /// A bit for each of the plan's mounts that the command wrote to, the first mount being the lowest.
    public var changedMounts: UInt64
    /// Whether memory, processes and processor were not limited, and nothing of them measured.
    public var leftOutLimits: Bool
    public var writableLayer: WritableLayerKind
    /// Whether it was files that the writable layer had no room for.
    public var inodesFull: Bool
    /// How often its network ended while it ran.
    public var networkInterruptions: UInt32
    /// Whether it was not made again after the last of these.
    public var networkLost: Bool
    /// Whether the host's disk had no room left at the end, though the writable layer's limit was not reached.
    public var hostDiskFull: Bool

    /// What the process that reaped the command saw.
    public enum End: Equatable, Sendable {
        case exited(code: UInt8)
        case signaled(signal: UInt8)
        /// The sandbox was killed whole, so nobody reaped the command.
        case killed
    }

    public enum Reason: UInt8, Equatable, Sendable {
        /// The command ended by itself.
        case none = 0
        case timeout = 1
        case idleTimeout = 2
        case cancelled = 3
        /// A stream had more output than its limit, and the plan says to end on that.
        case outputLimit = 4
    }

    public init(
        end: End, reason: Reason, oomKills: UInt64 = 0, cpuMs: UInt64 = 0, wallMs: UInt64 = 0,
        peakMemoryBytes: UInt64 = 0, stdoutBytes: UInt64 = 0, stderrBytes: UInt64 = 0,
        outputTruncated: Bool = false, stalledMs: UInt64 = 0, diskBytes: UInt64 = 0, inodes: UInt64 = 0,
        diskFull: Bool = false, setupMicros: UInt64 = 0, downloadMessage: String = "",
        changedMounts: UInt64 = 0, leftOutLimits: Bool = false, writableLayer: WritableLayerKind = .tmpfs,
        inodesFull: Bool = false, networkInterruptions: UInt32 = 0, networkLost: Bool = false,
        hostDiskFull: Bool = false
    ) {
        self.end = end
        self.reason = reason
        self.oomKills = oomKills
        self.cpuMs = cpuMs
        self.wallMs = wallMs
        self.peakMemoryBytes = peakMemoryBytes
        self.stdoutBytes = stdoutBytes
        self.stderrBytes = stderrBytes
        self.outputTruncated = outputTruncated
        self.stalledMs = stalledMs
        self.diskBytes = diskBytes
        self.inodes = inodes
        self.diskFull = diskFull
        self.setupMicros = setupMicros
        self.downloadMessage = downloadMessage
        self.changedMounts = changedMounts
        self.leftOutLimits = leftOutLimits
        self.writableLayer = writableLayer
        self.inodesFull = inodesFull
        self.networkInterruptions = networkInterruptions
        self.networkLost = networkLost
        self.hostDiskFull = hostDiskFull
    }
}

/// What bounds a sandbox's writable layer.
public enum WritableLayerKind: UInt8, Equatable, Sendable {
    /// A tmpfs of that size, charged to the sandbox's memory.
    case tmpfs = 0
    /// A file system of that size, in a file over a loop device.
    case loop = 1
    /// A directory on the host's file system with a limit of that size (quotactl(2), "project quotas").
    case projectQuota = 2
}

/// Told by the spooler when output arrived: how many bytes of each stream can be read from the spools. Told to the
/// spooler of a further command: how many of them are not needed any more, so that their place can be written over
/// (`SpoolRing`).
public struct SpoolProgress: Equatable, Sendable {
    public var id: String
    public var stdoutBytes: UInt64
    public var stderrBytes: UInt64

    public init(id: String, stdoutBytes: UInt64, stderrBytes: UInt64) {
        self.id = id
        self.stdoutBytes = stdoutBytes
        self.stderrBytes = stderrBytes
    }
}
