/// Bounds that hold for every spec in every pool: what the kernel takes, and what keeps one spec from costing the
/// coordinator more than a job is worth.
public enum SpecBounds {
    public static let arguments = 4_096
    /// Bytes of all arguments together.
    public static let argumentBytes = 1 << 20
    /// Bytes of one argument or `NAME=VALUE` entry: MAX_ARG_STRLEN without its NUL (execve(2)).
    public static let stringBytes = 131_071
    public static let variables = 1_024
    /// Bytes of all names and values together.
    public static let environmentBytes = 256 << 10
    public static let tags = 64
    public static let requirements = 64
    public static let mounts = 64
    public static let downloads = 64
    public static let networks = 256
    public static let domains = 256
    public static let imageBytes = 512
    public static let idempotencyKeyBytes = 255
    public static let priority = -1_000...1_000
    public static let retries = 0...10
    /// Least that can be enforced: a CPU quota of 1 ms in each 100 ms (kernel doc: sched-bwc).
    public static let leastCPUs = 0.01
    public static let leastMemoryBytes: Int64 = 4 << 20
    /// A tmpfs of size 0 would be one without a limit.
    public static let leastDiskBytes: Int64 = 64 << 10
    /// The sandbox's own pid 1 and the command.
    public static let leastPids = 2
    /// Most that the mark at the end of a stream which was cut at its limit takes beyond that limit.
    public static let outputMarkBytes: Int64 = 128
    /// Longest time limit: 30 days.
    public static let longestSeconds: Double = 30 * 86_400
}
