import SandpoolModel

/// Everything that a worker is told.
public struct WorkerConfiguration: Sendable {
    public var coordinator: CoordinatorAddress
    /// The bearer token of the role `worker`. `nil` where the coordinator's Unix socket is proof enough.
    public var token: String?
    /// Absolute path.
    public var dataDirectory: String
    /// What people see in `worker ls`. `nil`: the host's name.
    public var name: String?
    /// Processors to give to sandboxes, such as 3.5. `nil`: what this process may use.
    public var cpus: Double?
    /// Bytes of memory for sandboxes. `nil`: what this process may use, less a reserve.
    public var memoryBytes: Int64?
    /// Bytes for writable layers. `nil`: what is free where the data directory is, less a reserve.
    public var diskBytes: Int64?
    public var labels: [String: String] = [:]
    /// Whether jobs may run on the host's own `/usr`.
    public var offersHostImage = true
    /// Private networks that sandboxes may reach (`192.0.2.0/24`).
    public var egressAllow: [String] = []
    public var launcher: LauncherSource
    public var verification = VerificationPolicy.atStart
    /// Bound on unpacked layers kept for the next job, in bytes.
    public var layerCacheBytes: Int64 = 10 << 30
    /// Whether limits of memory, processes and processor that this host cannot enforce are left out. Only for a pool
    /// that refuses such limits where a job asks for them.
    public var leavesOutLimits = false
    /// How long a client may take nothing of the output of an exec that has ended.
    public var execPatienceMs: UInt64 = 60_000

    /// Where the launcher comes from.
    public enum LauncherSource: Sendable {
        /// It runs already and listens here, as under systemd.
        case socket(path: String)
        /// The one of this data directory, started if it is not there. When this process is root it drops to
        /// `user` afterwards; `nil`: the system user `sandpool` if there is one, else `UnprivilegedUser.fallback`.
        case spawned(user: String?)
        /// A child of this process that ends with it, as `--local` wants it.
        case embedded
    }

    public init(coordinator: CoordinatorAddress, dataDirectory: String, launcher: LauncherSource) {
        self.coordinator = coordinator
        self.dataDirectory = dataDirectory
        self.launcher = launcher
    }
}
