import Glibc
import LinuxSystem

/// One more command in a sandbox, from the request to the worker's `release`.
final class RunningExec: RunningCommand {
    /// What is made for it; gone when all of its processes are.
    struct Resources {
        var cgroup: ExecCgroup
        var failure: FileDescriptor
        /// Joins the sandbox and clones the command's process.
        var joining: ChildProcess?
        /// Where that one's number is, as long as it joins.
        var number: SharedProcessNumber?
        /// The command's process, a child of the launcher's.
        var command: ChildProcess?
    }

    /// Without the command.
    let plan: ExecPlan
    let sandbox: RunningSandbox
    var resources: Resources?
    /// Its worker is gone: nobody is to be told of it.
    var isForgotten = false
    /// Whether its processes were to be killed, those that were not known yet too.
    var isKilled = false
    /// Whether the kernel's kill of one of its processes has been seen.
    var isOutOfMemory = false
    private var early = EarlySignals()

    init(
        plan: ExecPlan, in sandbox: RunningSandbox, token: UInt64, requestedMicros: UInt64, standardOutput: SpoolFile,
        standardError: SpoolFile
    ) throws(SystemError) {
        self.plan = plan
        self.sandbox = sandbox
        try super.init(
            id: plan.id, token: token, requestedMicros: requestedMicros, outputBytes: plan.outputBytes,
            cpuMillis: sandbox.cpuMillis,
            standardOutput: standardOutput, standardError: standardError)
    }

    override var sandboxToken: UInt64 { sandbox.token }

    override var isUnderWay: Bool { resources != nil }

    override var ring: SpoolRing? { plan.ring }

    override var failure: FileDescriptor? { resources?.failure }

    /// It leads a process group when it is executed, and its number is its own until the launcher has reaped it.
    override func send(_ signal: UInt8) {
        switch state {
        case .running: break
        case .starting:
            early.insert(signal)
            return
        case .waiting, .draining, .ended, .failed: return
        }
        guard let resources else { return }
        if let command = resources.command {
            _ = Glibc.kill(-command.pid, Int32(signal))
        } else if resources.joining != nil {
            // It says that it was executed before the launcher has taken it for its child.
            early.insert(signal)
        }
    }

    /// Sends what came before the command was executed and known.
    func sendEarly() {
        guard case .running = state, resources?.command != nil else { return }
        for signal in early.take() { send(signal) }
    }

    /// Where the host gives no cgroup, of what the command started only that which stayed in its process group.
    override func kill() {
        isKilled = true
        guard let resources else { return }
        resources.cgroup.kill()
        try? resources.joining?.send(SIGKILL)
        if let command = resources.command {
            send(UInt8(SIGKILL))
            try? command.send(SIGKILL)
        }
    }
}
