import Glibc
import LinuxSystem

/// One sandbox from its start to the worker's `release`.
final class RunningSandbox: RunningCommand {
    /// Everything made for it on the host; gone when it has ended.
    struct Resources {
        var slot: Slot
        /// Whether the slot goes back with this sandbox.
        var ownsSlot: Bool
        var cgroup: SandboxCgroup
        var writable: WritableLayer
        var network: NetworkLease
        var first: ChildProcess
        var namespaces: SandboxNamespaces
        /// The launcher's end of the pipe whose end tells pid 1 that the launcher died.
        var go: FileDescriptor
        var failure: FileDescriptor
        var status: FileDescriptor
    }

    let plan: SandboxPlan
    var resources: Resources?
    var downloadSink: FileDescriptor?
    /// Gives back what it has, and what it waits for, before it is made.
    var endWait: (() -> Void)?
    /// For one of the launcher's own: gets the end in place of the worker.
    var onEnd: ((JobEnd) -> Void)?
    var idleCheck: EventLoop.TimerToken?
    var memorySearch = MemorySearch()
    /// Further commands in it that have not ended, by token.
    var execs: [UInt64: RunningExec] = [:]
    /// What its end waits with for theirs.
    var afterExecs: (() -> Void)?

    init(
        plan: SandboxPlan, token: UInt64, requestedMicros: UInt64, standardOutput: SpoolFile,
        standardError: SpoolFile
    ) throws(SystemError) {
        self.plan = plan
        try super.init(
            id: plan.id, token: token, requestedMicros: requestedMicros, outputBytes: plan.limits.outputBytes,
            cpuMillis: plan.limits.cpuMillis,
            standardOutput: standardOutput, standardError: standardError)
    }

    var isKilled = false

    /// Whether it is being killed, or pid 1 has told how the command ended, or is gone.
    var isGoing: Bool {
        guard !isKilled, let resources else { return true }
        var state = pollfd(fd: resources.status.raw, events: Int16(POLLIN), revents: 0)
        return poll(&state, 1, 0) != 0
    }

    override var isUnderWay: Bool {
        if case .waiting = state { return true }
        return resources != nil
    }

    override var failure: FileDescriptor? { resources?.failure }

    override func send(_ signal: UInt8) {
        if let first = resources?.first { LauncherSignal.send(signal, to: first) }
    }

    /// The end of pid 1 is the end of everything in its pid namespace; `cgroup.kill` does not even wait for
    /// pid 1 to be scheduled.
    override func kill() {
        isKilled = true
        guard let resources else { return }
        if !resources.cgroup.kill() { try? resources.first.send(SIGKILL) }
    }
}
