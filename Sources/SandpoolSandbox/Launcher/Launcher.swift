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
    private let spools: SpoolFiles
    let hostFingerprint: String
    private let cgroups: CgroupTree
    private let network: any NetworkProvider
    let rights: HostRights
    private(set) var sandboxes: [String: RunningSandbox] = [:]
    private var byToken: [UInt64: RunningSandbox] = [:]
    private var lastToken: UInt64 = 0
    /// Sandboxes of which anything is left on the host.
    private var alive = 0
    private(set) var isEnding = false
    /// Whether the end still waits for what sandboxes wrote to be removed.
    private var waitsForRemovals = true
    /// Where events go: a worker's connection, or the floor measurement.
    var tell: (LauncherEvent, [FileDescriptor]) -> Void = { _, _ in }
    /// Whether what is told is heard.
    var isHeard: () -> Bool = { true }
    /// Called when a sandbox has ended or was forgotten.
    var onChange: () -> Void = {}

    static let setupLimitMs: UInt64 = 30_000
    private static let retryMs: UInt64 = 5
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
        var hash = FowlerNollVoHash()
        hash.combine(dataDirectory)
        try CgroupSweep.run(data)
        cgroups = try rights.cgroups(named: "sandpool-\(hash.text)", data)
        let skeleton = try HostSkeleton(in: data)
        hostFingerprint = skeleton.fingerprint
        network = try composition.has(.netNamespace) ? rights.network(data, loop) : SharedNetwork()
        let workshop = try MountWorkshop(
            runPath: "\(dataDirectory)/run", rights, hasOldOverlays: hasOldOverlays)
        disks = try Disks(data, loop, rights, workshop)
        factory = try SandboxFactory(
            rights: rights, data: data, workshop: workshop, skeleton: skeleton, cgroups: cgroups, network: network,
            composition)
        factory.onRemainder = { [unowned self] cgroup in
            alive += 1
            remove(cgroup) {}
        }
        disks.onRest { [unowned self] in stopWhenEmpty() }
        spooler.onAnswer = { [unowned self] in heard($0) }
        loop.whenIdle { [unowned self] in network.refill() }
    }

    // MARK: Start

    /// Starts what the worker asked for; the answer is an event.
    ///
    /// - Parameter sealed: where the command is, when it is not in the plan.
    func start(_ plan: SandboxPlan, _ sealed: SealedPlan? = nil, downloadSink: FileDescriptor?) {
        do throws(StageError) {
            try PlanValidation.check(plan)
            guard sandboxes[plan.id] == nil else {
                throw StageError("plan", "a sandbox \(plan.id) exists", code: EEXIST, kind: .spec)
            }
            guard !isEnding else { throw StageError("plan", "the launcher is ending") }
            if !plan.downloads.isEmpty, downloadSink == nil {
                throw StageError("plan", "the plan has downloads and no file for them came with it", kind: .spec)
            }
            if !WritableLayer.fitsMemory(plan.limits) {
                return try startWithDisk(plan, sealed, downloadSink: downloadSink)
            }
            try make(plan, LauncherJob(sealed: sealed)).downloadSink = downloadSink
        } catch {
            tell(.failed(id: plan.id, failure: error.failure), [])
        }
    }

    /// What a sandbox has beside its plan, mostly one of the launcher's own, such as the one that unpacks a layer.
    struct LauncherJob {
        var sealed: SealedPlan?
        var standardInput: FileDescriptor?
        var standardOutput: FileDescriptor?
        var attachments: (Slot) throws(StageError) -> [Attachment] = { (_) throws(StageError) in [] }
        var fileSizeLimit: UInt64?
        var slot: Slot?
        /// For the writable layer, where it is not held in memory.
        var disk: WritableDisk?
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
        lastToken += 1
        return try stage("output") { () throws(SystemError) in
            try RunningSandbox(
                plan: plan, token: lastToken, requestedMicros: requested, standardOutput: try spools.take(),
                standardError: try spools.take())
        }
    }

    /// From here on it is told of, and cannot be asked for again.
    func enlist(_ sandbox: RunningSandbox) { sandboxes[sandbox.id] = sandbox }

    func build(_ sandbox: RunningSandbox, _ job: LauncherJob) throws(StageError) {
        defer { loop.wakeIdleWork() }
        let plan = sandbox.plan
        let (output, error) = try stage("output") { () throws(SystemError) in
            let output = try Pipe()
            let error = try Pipe()
            try spooler.open(sandbox, pipes: [output.readEnd, error.readEnd])
            return (output.writeEnd, error.writeEnd)
        }
        do throws(StageError) {
            let made = try factory.make(
                plan,
                SandboxFactory.Extras(
                    standardOutput: job.standardOutput ?? output, standardError: error,
                    standardInput: job.standardInput, attachments: job.attachments, fileSizeLimit: job.fileSizeLimit,
                    slot: job.slot, disk: job.disk, sealed: job.sealed))
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
            } else if let disk = job.disk {
                disks.release(disk)
            }
            try? spooler.finish(token: sandbox.token)
            throw error
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

    private func stopWatching(_ sandbox: RunningSandbox, _ resources: RunningSandbox.Resources) {
        loop.forget(resources.failure)
        loop.forget(resources.first.descriptor)
        resources.cgroup.oomNotice.map(loop.forget)
        sandbox.deadline.map(loop.cancel)
        sandbox.idleCheck.map(loop.cancel)
    }

    private func watch(_ sandbox: RunningSandbox, _ resources: RunningSandbox.Resources) throws(SystemError) {
        try resources.failure.setNonBlocking()
        try loop.watch(resources.failure, .readable) { [unowned self] in readFailure(sandbox) }
        try loop.watch(resources.first.descriptor, .readable) { [unowned self] in reap(sandbox) }
        if let notice = resources.cgroup.oomNotice {
            // On version 1 the kernel kills one process; with it goes the whole sandbox, as on version 2.
            try loop.watch(notice, .readable) { [unowned self] in
                loop.forget(notice)
                kill(sandbox)
            }
        }
        sandbox.deadline = loop.schedule(at: BoottimeClock.milliseconds() + Self.setupLimitMs) { [unowned self] in
            kill(sandbox)
        }
    }

    /// Reads what pid 1 says about the start; the end of the pipe is the start or its failure.
    private func readFailure(_ sandbox: RunningSandbox) {
        guard let resources = sandbox.resources, case .starting = sandbox.state else { return }
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = read(resources.failure.raw, &buffer, buffer.count)
        if count > 0 { return sandbox.failureBytes.append(contentsOf: buffer[..<count]) }
        if count < 0, errno == EAGAIN || errno == EINTR { return }
        loop.forget(resources.failure)
        guard FailurePipe.outcome(sandbox.failureBytes) == .executed else { return }
        sandbox.state = .running
        sandbox.startedMs = BoottimeClock.milliseconds()
        sandbox.setupMicros = BoottimeClock.microseconds() - sandbox.requestedMicros
        startTimers(sandbox)
        if sandbox.onEnd == nil {
            tell(.started(id: sandbox.id, startedBoottimeMs: sandbox.startedMs), sandbox.descriptors)
        }
    }

    // MARK: End

    private func reap(_ sandbox: RunningSandbox) {
        guard let resources = sandbox.resources else { return }
        // No writer is left: this reads to the end, and may find that the command was executed.
        while case .starting = sandbox.state, loop.isWatched(resources.failure) { readFailure(sandbox) }
        stopWatching(sandbox, resources)
        _ = try? resources.first.reap()
        sandbox.resources = nil
        sandbox.standardInput = nil
        if case .running = sandbox.state {
            sandbox.state = .draining(report(of: sandbox, resources))
            if archiveDownloads(of: sandbox, resources) { return }
        }
        drain(sandbox)
        takeDown(resources)
    }

    /// Has the spooler take the last of the output; its answer is the end.
    func drain(_ sandbox: RunningSandbox) {
        do throws(SystemError) {
            try spooler.finish(token: sandbox.token)
        } catch {
            Diagnostics.write("spooler: \(error)")
            exit(1)
        }
    }

    private func report(of sandbox: RunningSandbox, _ resources: RunningSandbox.Resources) -> ExitReport {
        var buffer = [UInt8](repeating: 0, count: 16)
        let count = read(resources.status.raw, &buffer, buffer.count)
        let usage = resources.writable.usage()
        return ExitReport(
            end: ExitStatusRecord(Array(buffer[..<max(0, count)]))?.end ?? .killed, reason: sandbox.reason,
            oomKills: resources.cgroup.oomKills(), cpuMs: resources.cgroup.cpuMilliseconds(),
            wallMs: BoottimeClock.milliseconds() - sandbox.startedMs,
            peakMemoryBytes: resources.cgroup.peakMemory(), diskBytes: usage.bytes, inodes: usage.inodes,
            diskFull: usage.isFull, setupMicros: sandbox.setupMicros,
            changedMounts: resources.writable.changedMounts(sandbox.plan.mounts),
            leftOutLimits: rights.unlimitedBecause != nil, writableLayer: resources.writable.kind,
            inodesFull: usage.hasNoInodes)
    }

    /// Gives everything back; the mounts go with the last reference to them. The slot is free only when
    /// nothing can run with its ids any more.
    func takeDown(_ resources: RunningSandbox.Resources) {
        remove(resources.cgroup) { [unowned self] in
            factory.takeBack(resources)
            resources.writable.disk.map(disks.release)
        }
    }

    private func remove(_ cgroup: SandboxCgroup, then done: @escaping () -> Void) {
        if cgroup.remove() {
            done()
            alive -= 1
            stopWhenEmpty()
            return
        }
        _ = loop.schedule(at: BoottimeClock.milliseconds() + Self.retryMs) { [unowned self] in
            remove(cgroup, then: done)
        }
    }

    private func heard(_ answer: SpoolerAnswer) {
        switch answer {
        case .finished(let counts): finish(counts)
        case .refused(let token): byToken[token].map(endWithoutOutput)
        case .limitReached(let token): byToken[token].map(endOnOutputLimit)
        }
    }

    /// The spooler has written everything.
    private func finish(_ counts: SpoolerCounts) {
        guard let sandbox = byToken.removeValue(forKey: counts.token) else { return }
        var end = JobEnd.failed(failure(of: sandbox))
        if case .draining(var report) = sandbox.state {
            report.stdoutBytes = counts.stdoutBytes
            report.stderrBytes = counts.stderrBytes
            report.outputTruncated = counts.truncated || sandbox.outputFailure != nil
            report.stalledMs = counts.stalledMs
            sandbox.state = .ended(report)
            end = .ended(report, output: sandbox.standardOutput, error: sandbox.standardError)
        }
        if let onEnd = sandbox.onEnd {
            onEnd(end)
            forget(sandbox)
        } else if case .ended(let report, _, _) = end {
            tell(.exited(id: sandbox.id, report: report), [])
        } else if case .failed(let failure) = end {
            return tellFailure(sandbox, failure)
        }
        onChange()
    }

    func tellFailure(_ sandbox: RunningSandbox, _ failure: SandboxFailure) {
        if isHeard() {
            forget(sandbox)
        } else {
            sandbox.state = .failed(failure)
            enlist(sandbox)
        }
        tell(.failed(id: sandbox.id, failure: failure), [])
        onChange()
    }

    private func endWithoutOutput(_ sandbox: RunningSandbox) {
        sandbox.outputFailure = StageError.noDescriptors.failure
        kill(sandbox)
    }

    func failure(of sandbox: RunningSandbox) -> SandboxFailure {
        if let failure = sandbox.outputFailure { return failure }
        if case .failed(let failure) = FailurePipe.outcome(sandbox.failureBytes) { return failure }
        let why = sandbox.reason == .cancelled ? "cancelled before the command was executed" : "killed during set-up"
        return SandboxFailure(stage: "start", errno: 0, message: why, kind: .setup)
    }

    /// A sandbox of the worker's, not one of the launcher's own.
    func sandbox(_ id: String) -> RunningSandbox? {
        sandboxes[id].flatMap { $0.onEnd == nil ? $0 : nil }
    }

    /// Forgets a sandbox that has ended or could not be started.
    func release(_ id: String) {
        guard let sandbox = sandbox(id) else { return }
        switch sandbox.state {
        case .ended, .failed:
            forget(sandbox)
            onChange()
        case .waiting, .starting, .running, .draining: return
        }
    }

    private func forget(_ sandbox: RunningSandbox) {
        sandboxes[sandbox.id] = nil
        spools.giveBack([sandbox.standardOutput, sandbox.standardError])
    }

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

    private func stopWhenEmpty() {
        if isEnding, alive == 0, disks.isAtRest || !waitsForRemovals { loop.stop() }
    }

    /// After the loop: takes away what is left on the host of an orderly life.
    func removeTraces() {
        network.shutDown()
        cgroups.remove()
    }
}
