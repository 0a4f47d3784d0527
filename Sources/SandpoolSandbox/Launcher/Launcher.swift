import CLinux
import Glibc
import LinuxSystem

/// Owns every sandbox of one data directory: starts them, keeps their deadlines, reaps them, and tells the worker.
final class Launcher {
    let loop: EventLoop
    let factory: SandboxFactory
    let spooler: SpoolerLink
    let data: DataDirectory
    let disks: Disks
    let spools: SpoolFiles
    let cgroups: CgroupTree
    let skeleton: HostSkeleton
    let workshop: MountWorkshop
    let network: any NetworkProvider
    let rights: HostRights
    var sandboxes: [String: RunningSandbox] = [:]
    /// Further commands in them that the worker has not released.
    var execs: [String: RunningExec] = [:]
    var byToken: [UInt64: RunningCommand] = [:]
    var lastToken: UInt64 = 0
    /// Sandboxes of which anything is left on the host.
    var alive = 0
    private(set) var isEnding = false
    /// Whether the end still waits for what sandboxes wrote to be removed.
    private var waitsForRemovals = true
    /// Where events go: a worker's connection, or the floor measurement.
    var tell: (LauncherEvent, [FileDescriptor]) -> Void = { _, _ in }
    /// Whether what is told is heard.
    var isHeard: () -> Bool = { true }
    /// Called when a sandbox has ended or was forgotten.
    var onChange: () -> Void = {}
    /// Called once, when nothing is ready to be done.
    var whenQuiet: (() -> Void)?

    static let setupLimitMs: UInt64 = 30_000
    static let retryMs: UInt64 = 5
    /// For removals at the end; what is left then is the next launcher's to remove.
    private static let removalLimitMs: UInt64 = 3_000

    init(
        dataDirectory: String, _ rights: HostRights, _ composition: Composition = .whole, hasOldOverlays: Bool = false
    ) throws {
        let rights = composition.rights(rights)
        self.rights = rights
        data = try DataDirectory(dataDirectory)
        spools = SpoolFiles(data.spool)
        loop = try EventLoop()
        // Before anything else is open, so that the spooler has none of it.
        spooler = try SpoolerLink(loop, rights)
        try CgroupSweep.run(data)
        cgroups = try rights.cgroups(named: Self.cgroupName(dataDirectory), data)
        skeleton = try HostSkeleton(in: data)
        network = try composition.has(.netNamespace) ? rights.network(data, loop) : SharedNetwork()
        workshop = try MountWorkshop(runPath: Self.runPath(dataDirectory), rights, hasOldOverlays: hasOldOverlays)
        disks = try Disks(data, loop, rights, workshop)
        factory = try SandboxFactory(
            rights: rights, data: data, workshop: workshop, skeleton: skeleton, cgroups: cgroups, network: network,
            composition)
        connect()
    }

    /// Goes on with what the program before in this process, root's, has handed over.
    init(
        dataDirectory: String, takingOver state: LauncherState, _ inherited: InheritedDescriptors, hasOldOverlays: Bool
    ) throws {
        rights = .root
        data = try DataDirectory(dataDirectory, holding: try inherited.take(state.lock))
        spools = SpoolFiles(data.spool)
        loop = try EventLoop()
        spooler = try SpoolerLink(
            takingOver: try inherited.take(state.spooler), SeqPacketSocket(try inherited.take(state.spoolerSocket)),
            loop)
        cgroups = try CgroupTree(takingOver: state.cgroups, name: Self.cgroupName(dataDirectory))
        skeleton = HostSkeleton(state.skeleton)
        network = try rights.network(takingOver: state.network, inherited, data, loop)
        workshop = try MountWorkshop(
            takingOver: Self.runPath(dataDirectory), seed: try inherited.take(state.seed), rights,
            hasOldOverlays: hasOldOverlays)
        disks = try Disks(data, loop, rights, workshop, used: state.usedProjects)
        factory = try SandboxFactory(
            rights: rights, data: data, workshop: workshop, skeleton: skeleton, cgroups: cgroups, network: network,
            .whole)
        connect()
        try takeOver(state, inherited)
    }

    private static func runPath(_ dataDirectory: String) -> String { "\(dataDirectory)/run" }

    private static func cgroupName(_ dataDirectory: String) -> String {
        var hash = FowlerNollVoHash()
        hash.combine(dataDirectory)
        return "sandpool-\(hash.text)"
    }

    private func connect() {
        factory.onRemainder = { [unowned self] cgroup in
            alive += 1
            remove(cgroup) {}
        }
        disks.onRest { [unowned self] in stopWhenEmpty() }
        spooler.onAnswer = { [unowned self] in heard($0) }
        loop.whenIdle { [unowned self] in
            guard let action = whenQuiet else { return network.refill() }
            whenQuiet = nil
            action()
            return true
        }
    }

    // MARK: Start

    /// Starts what the worker asked for; the answer is an event.
    ///
    /// - Parameter sealed: where the command is, when it is not in the plan.
    func start(_ plan: SandboxPlan, _ sealed: SealedPlan<SandboxPlan>? = nil, downloadSink: FileDescriptor?) {
        do throws(StageError) {
            try PlanValidation.check(plan)
            try checkIsNew(plan.id)
            guard !isEnding else { throw StageError("plan", "the launcher is ending") }
            if !plan.downloads.isEmpty, downloadSink == nil {
                throw StageError("plan", "the plan has downloads and no file for them came with it", kind: .spec)
            }
            let sandbox = try register(plan)
            sandbox.downloadSink = downloadSink
            try start(sandbox, LauncherJob(sealed: sealed))
        } catch {
            tell(.failed(id: plan.id, failure: error.failure), [])
        }
    }

    func checkIsNew(_ id: String) throws(StageError) {
        if sandboxes[id] == nil, execs[id] == nil { return }
        throw StageError("plan", "a sandbox or a command \(id) exists", code: EEXIST, kind: .spec)
    }

    func takeToken() -> UInt64 {
        lastToken += 1
        return lastToken
    }

    /// What a sandbox has beside its plan, mostly one of the launcher's own, such as the one that unpacks a layer.
    struct LauncherJob {
        var sealed: SealedPlan<SandboxPlan>?
        var standardInput: FileDescriptor?
        var standardOutput: FileDescriptor?
        var attachments: (Slot) throws(StageError) -> [Attachment] = { (_) throws(StageError) in [] }
        var fileSizeLimit: UInt64?
        var slot: Slot?
        /// For the writable layer, where it is not held in memory.
        var disk: WritableDisk?
        /// Where it had to be waited for; else one is taken.
        var network: NetworkLease?
        /// Gets the end in place of the worker.
        var onEnd: ((JobEnd) -> Void)?
    }

    @discardableResult
    func make(_ plan: SandboxPlan, _ job: LauncherJob) throws(StageError) -> RunningSandbox {
        let sandbox = try register(plan)
        try build(sandbox, job)
        return sandbox
    }

    /// What every sandbox has from the request on.
    func register(_ plan: SandboxPlan) throws(StageError) -> RunningSandbox {
        let requested = BoottimeClock.microseconds()
        let token = takeToken()
        return try stage("output") { () throws(SystemError) in
            try RunningSandbox(
                plan: plan, token: token, requestedMicros: requested, standardOutput: try spools.take(),
                standardError: try spools.take())
        }
    }

    /// From here on it is told of, and cannot be asked for again.
    func enlist(_ sandbox: RunningSandbox) { sandboxes[sandbox.id] = sandbox }

    func delist(_ sandbox: RunningSandbox) { sandboxes[sandbox.id] = nil }

    func build(_ sandbox: RunningSandbox, _ job: LauncherJob) throws(StageError) {
        defer { loop.wakeIdleWork() }
        let plan = sandbox.plan
        do throws(StageError) {
            let (output, error) = try openOutput(of: sandbox)
            let made = try factory.make(
                plan,
                SandboxFactory.Extras(
                    standardOutput: job.standardOutput ?? output, standardError: error,
                    standardInput: job.standardInput, attachments: job.attachments, fileSizeLimit: job.fileSizeLimit,
                    slot: job.slot, disk: job.disk, network: job.network, sealed: job.sealed))
            sandbox.resources = made.resources
            sandbox.standardInput = made.standardInput
            sandbox.onEnd = job.onEnd
            alive += 1
            enlist(sandbox)
            byToken[sandbox.token] = sandbox
            try stage("events") { () throws(SystemError) in try watch(sandbox, made.resources) }
        } catch {
            if let resources = sandbox.resources {
                abandon(sandbox, resources)
            } else {
                giveBack(job)
            }
            try? spooler.finish(token: sandbox.token)
            throw error
        }
    }

    /// For what nobody uses.
    func giveBack(_ job: LauncherJob) {
        job.disk.map(disks.release)
        job.network.map(network.giveBack)
    }

    /// The write ends of the pipes to the spooler.
    func openOutput(of command: RunningCommand) throws(StageError) -> (FileDescriptor, FileDescriptor) {
        try stage("output") { () throws(SystemError) in
            let output = try Pipe()
            let error = try Pipe()
            try spooler.open(command, pipes: [output.readEnd, error.readEnd])
            return (output.writeEnd, error.writeEnd)
        }
    }

    /// A sandbox whose end nobody would see ends here.
    private func abandon(_ sandbox: RunningSandbox, _ resources: RunningSandbox.Resources) {
        stopWatching(sandbox, resources)
        try? resources.first.send(SIGKILL)
        _ = try? resources.first.reap()
        sandboxes[sandbox.id] = nil
        byToken[sandbox.token] = nil
        sandbox.resources = nil
        takeDown(resources)
    }

    func stopWatching(_ sandbox: RunningSandbox, _ resources: RunningSandbox.Resources) {
        loop.forget(resources.failure)
        loop.forget(resources.first.descriptor)
        resources.cgroup.oomNotice.map(loop.forget)
        sandbox.deadline.map(loop.cancel)
        sandbox.idleCheck.map(loop.cancel)
    }

    private func watch(_ sandbox: RunningSandbox, _ resources: RunningSandbox.Resources) throws(SystemError) {
        try resources.failure.setNonBlocking()
        try loop.watch(resources.failure, .readable) { [unowned self] in readFailure(sandbox) }
        try watchRunning(sandbox, resources)
        sandbox.deadline = loop.schedule(at: BoottimeClock.milliseconds() + Self.setupLimitMs) { [unowned self] in
            kill(sandbox)
        }
    }

    func watchRunning(_ sandbox: RunningSandbox, _ resources: RunningSandbox.Resources) throws(SystemError) {
        try loop.watch(resources.first.descriptor, .readable) { [unowned self] in reap(sandbox) }
        if let notice = resources.cgroup.oomNotice {
            try loop.watch(notice, .readable) { [unowned self] in ranOutOfMemory(sandbox, notice) }
        }
    }

    /// Reads what pid 1 says about the start; the end of the pipe is the start or its failure.
    func readFailure(_ sandbox: RunningSandbox) {
        guard readOutcome(of: sandbox) else { return }
        startTimers(sandbox)
        if sandbox.onEnd == nil {
            tell(.started(id: sandbox.id, startedBoottimeMs: sandbox.startedMs), sandbox.descriptors)
        }
    }

    /// Whether the command has been executed by now.
    func readOutcome(of command: RunningCommand) -> Bool {
        guard let pipe = command.failure, case .starting = command.state else { return false }
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = read(pipe.raw, &buffer, buffer.count)
        if count > 0 {
            command.failureBytes.append(contentsOf: buffer[..<count])
            return false
        }
        if count < 0, errno == EAGAIN || errno == EINTR { return false }
        loop.forget(pipe)
        guard FailurePipe.outcome(command.failureBytes) == .executed else { return false }
        command.state = .running
        command.startedMs = BoottimeClock.milliseconds()
        command.setupMicros = BoottimeClock.microseconds() - command.requestedMicros
        return true
    }

    // MARK: End

    /// Kills every sandbox and stops the loop when nothing of them is left.
    func endAll() {
        isEnding = true
        for sandbox in sandboxes.values { kill(sandbox) }
        _ = loop.schedule(at: BoottimeClock.milliseconds() + Self.removalLimitMs) { [unowned self] in
            waitsForRemovals = false
            stopWhenEmpty()
        }
        stopWhenEmpty()
    }

    func stopWhenEmpty() {
        if isEnding, alive == 0, disks.isAtRest || !waitsForRemovals { loop.stop() }
    }

    /// After the loop: takes away what is left on the host of an orderly life.
    func removeTraces() {
        network.shutDown()
        cgroups.remove()
    }
}
