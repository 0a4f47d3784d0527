import LinuxSystem

/// One sandbox from its start to the worker's `release`.
final class RunningSandbox {
    /// Everything made for it on the host; gone when it has ended.
    struct Resources {
        var slot: Slot
        /// Whether the slot goes back with this sandbox.
        var ownsSlot: Bool
        var cgroup: SandboxCgroup
        var writable: WritableLayer
        var network: NetworkLease
        var first: ChildProcess
        /// The launcher's end of the pipe whose end tells pid 1 that the launcher died.
        var go: FileDescriptor
        var failure: FileDescriptor
        var status: FileDescriptor
    }

    enum State {
        /// For its disk; nothing else of it is there yet.
        case waiting
        case starting
        case running
        /// The processes are gone; the spooler takes the last output.
        case draining(ExitReport)
        case ended(ExitReport)
        /// Its command was not executed, and no worker was there to be told.
        case failed(SandboxFailure)
    }

    let id: String
    let plan: SandboxPlan
    let token: UInt64
    let requestedMicros: UInt64
    var state = State.starting
    var resources: Resources?
    let standardOutput: SpoolFile
    let standardError: SpoolFile
    private let readers: [FileDescriptor]
    var standardInput: FileDescriptor?
    var downloadSink: FileDescriptor?
    /// For one of the launcher's own: gets the end in place of the worker.
    var onEnd: ((JobEnd) -> Void)?
    var startedMs: UInt64 = 0
    var setupMicros: UInt64 = 0
    var reason = ExitReport.Reason.none
    var failureBytes: [UInt8] = []
    /// The spooler could not take it on.
    var outputFailure: SandboxFailure?
    var deadline: EventLoop.TimerToken?
    var idleCheck: EventLoop.TimerToken?
    var killAtMs: UInt64?

    init(
        plan: SandboxPlan, token: UInt64, requestedMicros: UInt64, standardOutput: SpoolFile,
        standardError: SpoolFile
    ) throws(SystemError) {
        id = plan.id
        self.plan = plan
        self.token = token
        self.requestedMicros = requestedMicros
        self.standardOutput = standardOutput
        self.standardError = standardError
        readers = [try standardOutput.openForReading(), try standardError.openForReading()]
    }

    /// Whether it can still be ended.
    var isUnderWay: Bool {
        if case .waiting = state { return true }
        return resources != nil
    }

    /// What `started` and `adopted` carry.
    var descriptors: [FileDescriptor] { readers + (standardInput.map { [$0] } ?? []) }
}
