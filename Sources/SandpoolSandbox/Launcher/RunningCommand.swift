import LinuxSystem

/// A command from the worker's request to its `release`: a sandbox with its main one, or one more in it.
class RunningCommand {
    enum State {
        /// For its disk or its network; no process of it is there yet.
        case waiting
        case starting
        case running
        /// The processes are gone; the spooler takes the last output.
        case draining(ExitReport)
        case ended(ExitReport)
        /// The command was not executed, and no worker was there to be told.
        case failed(SandboxFailure)
    }

    let id: String
    let token: UInt64
    let requestedMicros: UInt64
    let outputBytes: UInt64
    /// What its sandbox has of a processor, in thousandths.
    let cpuMillis: UInt32
    var state = State.starting
    let standardOutput: SpoolFile
    let standardError: SpoolFile
    private let readers: [FileDescriptor]
    var standardInput: StandardInput?
    var startedMs: UInt64 = 0
    var setupMicros: UInt64 = 0
    var reason = ExitReport.Reason.none
    var failureBytes: [UInt8] = []
    /// The spooler could not take it on.
    var outputFailure: SandboxFailure?
    var deadline: EventLoop.TimerToken?
    var killAtMs: UInt64?

    init(
        id: String, token: UInt64, requestedMicros: UInt64, outputBytes: UInt64, cpuMillis: UInt32,
        standardOutput: SpoolFile, standardError: SpoolFile
    ) throws(SystemError) {
        self.id = id
        self.token = token
        self.requestedMicros = requestedMicros
        self.outputBytes = outputBytes
        self.cpuMillis = cpuMillis
        self.standardOutput = standardOutput
        self.standardError = standardError
        readers = [try standardOutput.openForReading(), try standardError.openForReading()]
    }

    /// What `started` and `adopted` carry.
    var descriptors: [FileDescriptor] { readers + (standardInput?.descriptors ?? []) }

    /// Since the last output, or the start.
    var quietMs: UInt64 {
        min(
            standardOutput.millisecondsSinceWrite, standardError.millisecondsSinceWrite,
            BoottimeClock.milliseconds() - startedMs)
    }

    /// The token of its sandbox's main command.
    var sandboxToken: UInt64 { token }

    /// Whether it can still be ended.
    var isUnderWay: Bool { false }

    /// How its output lies in the spools; `nil`: all of it, from the start to the end.
    var ring: SpoolRing? { nil }

    /// What it says about its start comes through this, as long as it has processes.
    var failure: FileDescriptor? { nil }

    /// Sends a signal to the command's process group, once there is one.
    func send(_ signal: UInt8) {}

    /// Kills every process of it.
    func kill() {}
}
