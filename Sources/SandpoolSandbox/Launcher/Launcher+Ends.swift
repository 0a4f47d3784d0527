import Glibc
import LinuxSystem

/// What follows the end of a sandbox's processes, up to the worker's `release`.
extension Launcher {
    func reap(_ sandbox: RunningSandbox) {
        guard let resources = sandbox.resources else { return }
        // No writer is left: this reads to the end, and may find that the command was executed.
        while case .starting = sandbox.state, loop.isWatched(resources.failure) { readFailure(sandbox) }
        stopWatching(sandbox, resources)
        _ = try? resources.first.reap()
        sandbox.resources = nil
        sandbox.standardInput = nil
        let hasRun = if case .running = sandbox.state { true } else { false }
        if hasRun { sandbox.state = .draining(report(of: sandbox, resources)) }
        endExecs(of: sandbox) { [unowned self] in
            if hasRun, archiveDownloads(of: sandbox, resources) { return }
            drain(sandbox)
            takeDown(resources)
        }
    }

    /// Has the spooler take the last of the output; its answer is the end.
    func drain(_ command: RunningCommand) {
        do throws(SystemError) {
            try spooler.finish(token: command.token)
        } catch {
            Diagnostics.write("spooler: \(error)")
            exit(1)
        }
    }

    private func report(of sandbox: RunningSandbox, _ resources: RunningSandbox.Resources) -> ExitReport {
        var buffer = [UInt8](repeating: 0, count: 16)
        let count = read(resources.status.raw, &buffer, buffer.count)
        let usage = resources.writable.usage()
        let interruptions = network.interruptions(of: resources.network)
        return ExitReport(
            end: ExitStatusRecord(Array(buffer[..<max(0, count)]))?.end ?? .killed, reason: sandbox.reason,
            oomKills: resources.cgroup.oomKills(), cpuMs: resources.cgroup.cpuMilliseconds(),
            wallMs: BoottimeClock.milliseconds() - sandbox.startedMs,
            peakMemoryBytes: resources.cgroup.peakMemory(), diskBytes: usage.bytes, inodes: usage.inodes,
            diskFull: usage.isFull, setupMicros: sandbox.setupMicros,
            changedMounts: resources.writable.changedMounts(sandbox.plan.mounts),
            leftOutLimits: rights.unlimitedBecause != nil, writableLayer: resources.writable.kind,
            inodesFull: usage.hasNoInodes, networkInterruptions: interruptions.count,
            networkLost: interruptions.isLost, hostDiskFull: usage.isHostFull)
    }

    /// Gives everything back; the mounts go with the last reference to them. The slot is free only when
    /// nothing can run with its ids any more.
    func takeDown(_ resources: RunningSandbox.Resources) {
        remove(resources.cgroup) { [unowned self] in
            factory.takeBack(resources)
            resources.writable.disk.map(disks.release)
        }
    }

    func remove(_ cgroup: SandboxCgroup, then done: @escaping () -> Void) {
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

    func heard(_ answer: SpoolerAnswer) {
        switch answer {
        case .finished(let counts): finish(counts)
        case .refused(let token): byToken[token].map(endWithoutOutput)
        case .limitReached(let token): byToken[token].map(endOnOutputLimit)
        }
    }

    /// The spooler has written everything.
    private func finish(_ counts: SpoolerCounts) {
        guard let command = byToken.removeValue(forKey: counts.token) else { return }
        var end = JobEnd.failed(failure(of: command))
        if case .draining(var report) = command.state {
            report.stdoutBytes = counts.stdoutBytes
            report.stderrBytes = counts.stderrBytes
            report.outputTruncated = counts.truncated || command.outputFailure != nil
            report.stalledMs = counts.stalledMs
            command.state = .ended(report)
            end = .ended(report, output: command.standardOutput, error: command.standardError)
        }
        if let exec = command as? RunningExec { return finish(exec, end) }
        guard let sandbox = command as? RunningSandbox else { return }
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

    private func endWithoutOutput(_ command: RunningCommand) {
        command.outputFailure = StageError.noDescriptors.failure
        kill(command)
    }

    func failure(of command: RunningCommand) -> SandboxFailure {
        if let failure = command.outputFailure { return failure }
        let told = FailurePipe.outcome(command.failureBytes)
        if let exec = command as? RunningExec, exec.sandbox.isGoing {
            if case .failed(let failure) = told, failure.kind != .setup { return failure }
            return StageError("sandbox", "its sandbox ended before the command was executed", kind: .spec).failure
        }
        if let exec = command as? RunningExec, exec.isOutOfMemory || told.hadNoMemory {
            return StageError(
                "memory", "the sandbox's memory was full before the command was executed", code: ENOMEM, kind: .memory
            ).failure
        }
        if case .failed(let failure) = told { return failure }
        let why = command.reason == .cancelled ? "cancelled before the command was executed" : "killed during set-up"
        return SandboxFailure(stage: "start", errno: 0, message: why, kind: .setup)
    }

    /// A sandbox of the worker's, not one of the launcher's own.
    func sandbox(_ id: String) -> RunningSandbox? {
        sandboxes[id].flatMap { $0.onEnd == nil ? $0 : nil }
    }

    /// The same, or a further command in one.
    func command(_ id: String) -> RunningCommand? { sandbox(id) ?? execs[id] }

    /// Forgets a command that has ended or could not be started.
    func release(_ id: String) {
        guard let command = command(id) else { return }
        switch command.state {
        case .ended, .failed:
            forget(command)
            onChange()
        case .waiting, .starting, .running, .draining: return
        }
    }

    func forget(_ command: RunningCommand) {
        if let sandbox = command as? RunningSandbox { delist(sandbox) } else { execs[command.id] = nil }
        spools.giveBack([command.standardOutput, command.standardError])
    }
}
