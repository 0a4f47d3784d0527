import CLinux
import Glibc
import LinuxSystem

/// Owns every sandbox of one data directory: starts them, keeps their deadlines, reaps them, and tells the worker.
final class Launcher {
    let loop: EventLoop
    let factory: SandboxFactory
    let spooler: SpoolerLink
    let data: DataDirectory
    let hostFingerprint: String
    private(set) var sandboxes: [String: RunningSandbox] = [:]
    private var byToken: [UInt64: RunningSandbox] = [:]
    private var lastToken: UInt64 = 0
    /// Where events go: a worker's connection, or the floor measurement.
    var tell: (LauncherEvent, [FileDescriptor]) -> Void = { _, _ in }
    /// Called when a sandbox has ended or was forgotten.
    var onChange: () -> Void = {}

    private static let setupLimitMs: UInt64 = 30_000
    private static let retryMs: UInt64 = 5

    init(dataDirectory: String) throws {
        data = try DataDirectory(dataDirectory)
        loop = try EventLoop()
        // Before anything else is open, so that the spooler has none of it.
        spooler = try SpoolerLink(loop)
        var hash = FowlerNollVoHash()
        hash.combine(dataDirectory)
        let cgroups = try CgroupTree(name: "sandpool-\(hash.text)", data: data)
        let skeleton = try HostSkeleton(in: data)
        hostFingerprint = skeleton.fingerprint
        let network = try BlockedNetwork()
        let workshop = try MountWorkshop(runPath: "\(dataDirectory)/run")
        factory = try SandboxFactory(
            data: data, workshop: workshop, skeleton: skeleton, cgroups: cgroups, network: network)
        spooler.onCounts = { [unowned self] in finish($0) }
        loop.whenIdle { network.refill() }
    }

    // MARK: Start

    func start(_ plan: SandboxPlan, downloadSink: FileDescriptor?) {
        do throws(StageError) {
            try PlanValidation.check(plan)
            guard sandboxes[plan.id] == nil else {
                throw StageError("plan", "a sandbox \(plan.id) exists", code: EEXIST, kind: .spec)
            }
            if !plan.downloads.isEmpty, downloadSink == nil {
                throw StageError("plan", "the plan has downloads and no file for them came with it", kind: .spec)
            }
            let sandbox = try make(plan)
            sandbox.downloadSink = downloadSink
            sandboxes[plan.id] = sandbox
            byToken[sandbox.token] = sandbox
        } catch {
            tell(.failed(id: plan.id, failure: error.failure), [])
        }
        loop.wakeIdleWork()
    }

    private func make(_ plan: SandboxPlan) throws(StageError) -> RunningSandbox {
        let requested = BoottimeClock.microseconds()
        lastToken += 1
        let (output, error, sandbox) = try stage("output") { () throws(SystemError) in
            let output = try Pipe()
            let error = try Pipe()
            // Unnamed files: nothing has to be removed after a crash.
            let files = [try spoolFile(), try spoolFile()]
            try spooler.open(token: lastToken, plan: plan, pipes: [output.readEnd, error.readEnd], files: files)
            let sandbox = RunningSandbox(
                plan: plan, token: lastToken, requestedMicros: requested, standardOutput: files[0],
                standardError: files[1])
            return (output.writeEnd, error.writeEnd, sandbox)
        }
        do throws(StageError) {
            let made = try factory.make(
                plan, output: SandboxFactory.Output(standardOutput: output, standardError: error))
            sandbox.resources = made.resources
            sandbox.standardInput = made.standardInput
            try stage("events") { () throws(SystemError) in try watch(sandbox, made.resources) }
            return sandbox
        } catch {
            try? spooler.finish(token: sandbox.token)
            throw error
        }
    }

    private func spoolFile() throws(SystemError) -> FileDescriptor {
        let unnamed: Int32 = 0x41_0000
        return try data.spool.open(".", O_RDWR | unnamed, mode: 0o600)
    }

    private func watch(_ sandbox: RunningSandbox, _ resources: RunningSandbox.Resources) throws(SystemError) {
        try resources.failure.setNonBlocking()
        try loop.watch(resources.failure, .readable) { [unowned self] in readFailure(sandbox) }
        try loop.watch(resources.first.descriptor, .readable) { [unowned self] in reap(sandbox) }
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
        sandbox.deadline.map(loop.cancel)
        // Saturating: a timeout of centuries is none.
        let (timeout, overflow) = sandbox.startedMs.addingReportingOverflow(sandbox.plan.timers.timeoutMs)
        sandbox.deadline = loop.schedule(at: overflow ? .max : timeout) { [unowned self] in
            end(sandbox, .timeout, graceMs: sandbox.plan.timers.graceMs)
        }
        if sandbox.plan.timers.idleMs > 0 { scheduleIdleCheck(sandbox, in: sandbox.plan.timers.idleMs) }
        tell(.started(id: sandbox.id, startedBoottimeMs: sandbox.startedMs), sandbox.descriptors)
    }

    // MARK: End

    /// SIGTERM, and after the grace the whole sandbox is killed. A second call can only bring the kill forward.
    func end(_ sandbox: RunningSandbox, _ reason: ExitReport.Reason, graceMs: UInt64) {
        guard sandbox.resources != nil else { return }
        if sandbox.reason == .none { sandbox.reason = reason }
        guard case .running = sandbox.state, graceMs > 0 else { return kill(sandbox) }
        let now = BoottimeClock.milliseconds()
        let (killAt, overflow) = now.addingReportingOverflow(graceMs)
        if let earlier = sandbox.killAtMs, earlier <= killAt { return }
        let isFirst = sandbox.killAtMs == nil
        sandbox.killAtMs = overflow ? .max : killAt
        sandbox.deadline.map(loop.cancel)
        sandbox.deadline = loop.schedule(at: overflow ? .max : killAt) { [unowned self] in kill(sandbox) }
        if isFirst, let first = sandbox.resources?.first { LauncherSignal.send(UInt8(SIGTERM), to: first) }
    }

    func kill(_ sandbox: RunningSandbox) {
        guard let resources = sandbox.resources else { return }
        // The end of pid 1 is the end of everything in its pid namespace.
        if !resources.cgroup.kill() { try? resources.first.send(SIGKILL) }
    }

    /// The file's time is that of the last output, so nothing has to be told for each byte.
    private func scheduleIdleCheck(_ sandbox: RunningSandbox, in milliseconds: UInt64) {
        let at = BoottimeClock.milliseconds().addingReportingOverflow(milliseconds)
        sandbox.idleCheck = loop.schedule(at: at.overflow ? .max : at.partialValue) { [unowned self] in
            guard case .running = sandbox.state else { return }
            let limit = sandbox.plan.timers.idleMs
            let quiet = min(
                SpoolFile.millisecondsSinceWrite(sandbox.standardOutput),
                SpoolFile.millisecondsSinceWrite(sandbox.standardError),
                BoottimeClock.milliseconds() - sandbox.startedMs)
            if quiet >= limit {
                end(sandbox, .idleTimeout, graceMs: sandbox.plan.timers.graceMs)
            } else {
                scheduleIdleCheck(sandbox, in: limit - quiet)
            }
        }
    }

    private func reap(_ sandbox: RunningSandbox) {
        guard let resources = sandbox.resources else { return }
        // No writer is left: this reads to the end, and may find that the command was executed.
        while case .starting = sandbox.state, loop.isWatched(resources.failure) { readFailure(sandbox) }
        loop.forget(resources.first.descriptor)
        _ = try? resources.first.reap()
        sandbox.deadline.map(loop.cancel)
        sandbox.idleCheck.map(loop.cancel)
        if case .running = sandbox.state {
            sandbox.state = .draining(report(of: sandbox, resources))
        }
        do throws(SystemError) {
            try spooler.finish(token: sandbox.token)
        } catch {
            Diagnostics.write("spooler: \(error)")
            exit(1)
        }
        takeDown(sandbox, resources)
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
            diskFull: usage.isFull, setupMicros: sandbox.setupMicros)
    }

    /// Gives everything back. The mounts go with the last reference to them.
    private func takeDown(_ sandbox: RunningSandbox, _ resources: RunningSandbox.Resources) {
        sandbox.resources = nil
        sandbox.standardInput = nil
        removeCgroup(resources)
    }

    /// The slot is free only when nothing can run with its ids any more.
    private func removeCgroup(_ resources: RunningSandbox.Resources) {
        if resources.cgroup.remove() { return factory.takeBack(resources) }
        _ = loop.schedule(at: BoottimeClock.milliseconds() + Self.retryMs) { [unowned self] in removeCgroup(resources) }
    }

    /// The spooler has written everything.
    private func finish(_ counts: SpoolerCounts) {
        guard let sandbox = byToken.removeValue(forKey: counts.token) else { return }
        switch sandbox.state {
        case .draining(var report):
            report.stdoutBytes = counts.stdoutBytes
            report.stderrBytes = counts.stderrBytes
            report.outputTruncated = counts.truncated
            report.stalledMs = counts.stalledMs
            sandbox.state = .ended(report)
            tell(.exited(id: sandbox.id, report: report), [])
        case .starting, .running, .ended:
            sandboxes[sandbox.id] = nil
            tell(.failed(id: sandbox.id, failure: failure(of: sandbox)), [])
        }
        onChange()
    }

    private func failure(of sandbox: RunningSandbox) -> SandboxFailure {
        if case .failed(let failure) = FailurePipe.outcome(sandbox.failureBytes) { return failure }
        let why = sandbox.reason == .cancelled ? "cancelled before the command was executed" : "killed during set-up"
        return SandboxFailure(stage: "start", errno: 0, message: why, kind: .setup)
    }

    /// Forgets a sandbox that has ended.
    func release(_ id: String) {
        guard let sandbox = sandboxes[id], case .ended = sandbox.state else { return }
        sandboxes[id] = nil
        onChange()
    }
}
