import Logging
import SandpoolModel

/// Everything that a coordinator is told when it starts.
public struct CoordinatorConfiguration: Sendable {
    /// Holds the database, output, blobs and the admin token. Made, mode 0700, where it is missing.
    public var dataDirectory: String
    public var listen = ListenAddress.standard
    /// Allows plain HTTP beyond loopback, where everybody on the path reads tokens and output.
    public var insecureHTTP = false
    public var pool = PoolConfiguration()
    /// Largest upload.
    public var blobBytes: Int64 = 4 << 30
    /// Room that is kept on the disk for what ends work when the disk is full.
    public var reserveBytes: Int64 = 32 << 20
    /// What a configuration file may set it to: with less than the lower bound a piece of it is no write's worth.
    static let reserves: ClosedRange<Int64> = 1 << 20...1 << 40
    /// How long finished jobs are kept.
    public var retention = Retention()
    public var timings = CoordinatorTimings()
    public var logger: Logger

    public init(dataDirectory: String, logger: Logger = Logger(label: "sandpool.coordinator")) {
        self.dataDirectory = dataDirectory
        self.logger = logger
    }
}

/// Intervals of leases and of the rules for workers that fell silent (design decision 6).
public struct CoordinatorTimings: Hashable, Sendable {
    public var lease = Duration.seconds(30)
    public var heartbeat = Duration.seconds(10)
    /// Silence after which a worker's attempts are flagged unreachable.
    public var unreachableAfter = Duration.seconds(35)
    /// Silence after which an attempt whose rerun is safe is replaced.
    public var replaceAfter = Duration.seconds(120)
    /// Silence, added to the attempt's own timeout, after which one whose rerun is not safe ends as lost.
    public var lostAfter = Duration.seconds(600)
    /// How long a job with `onDisconnect: cancel` goes on without a follower.
    public var disconnectGrace = Duration.seconds(60)
    /// How long a queued job waits before its follower is told that no worker is enrolled.
    public var noWorkerNotice = Duration.seconds(1)
    /// How many jobs in a row a worker fails to set up until it is quarantined.
    public var quarantineAfter = 5
    /// How long it gets no jobs then, until one tries it; doubled with each trial that fails, up to the longest.
    public var quarantineBackoff = Duration.seconds(30)
    public var longestQuarantine = Duration.seconds(600)

    public init() {}
}
