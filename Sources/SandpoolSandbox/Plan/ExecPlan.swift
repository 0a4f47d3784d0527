/// A further command in a sandbox that runs, as plain data. It has the sandbox's own limits, network and capability
/// profile, and ends with the sandbox.
public struct ExecPlan: Equatable, Sendable {
    /// Names the command and what is made for it, `[a-z0-9-]{1,64}`; nothing else that the launcher has is named so.
    public var id: String
    /// The program and its arguments; the program is looked up in `PATH` inside the sandbox.
    public var arguments: [String]
    /// `NAME=VALUE` entries, the whole environment.
    public var environment: [String]
    /// Absolute path inside the sandbox; made when it is missing.
    public var workingDirectory: String
    /// A name to look up in the sandbox's `/etc/passwd`, or a uid 0–65535 in decimal.
    public var user: String
    public var stdin: SandboxPlan.StandardInput
    /// Milliseconds on CLOCK_BOOTTIME from its start to SIGTERM, and from there to the kill. 0: as long as the sandbox.
    public var timeoutMs: UInt64
    public var graceMs: UInt64
    /// Most bytes of each output stream; what comes after is dropped with a mark.
    public var outputBytes: UInt64
    /// Bytes of each output stream that may wait for the worker, which says how far it is (`SpoolProgress`); with more,
    /// the command waits.
    public var backlogBytes: UInt64

    /// How the streams lie in their spools.
    public var ring: SpoolRing { SpoolRing(backlogBytes: backlogBytes) }

    public init(
        id: String, arguments: [String], environment: [String], workingDirectory: String, user: String,
        stdin: SandboxPlan.StandardInput, timeoutMs: UInt64, graceMs: UInt64, outputBytes: UInt64,
        backlogBytes: UInt64
    ) {
        self.id = id
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.user = user
        self.stdin = stdin
        self.timeoutMs = timeoutMs
        self.graceMs = graceMs
        self.outputBytes = outputBytes
        self.backlogBytes = backlogBytes
    }
}
