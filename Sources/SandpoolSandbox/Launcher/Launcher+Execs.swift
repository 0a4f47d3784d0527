import Glibc
import LinuxSystem

/// Further commands in a sandbox that runs.
extension Launcher {
    /// Of one sandbox at once. Each has a cgroup, two spools and some six descriptors.
    private static let execLimit = 16

    /// Starts what the worker asked for; the answer is an event.
    func exec(_ plan: ExecPlan, _ sealed: SealedPlan<ExecPlan>, in sandboxID: String) {
        do throws(StageError) {
            try PlanValidation.check(plan)
            try checkIsNew(plan.id)
            try build(plan, sealed, in: sandboxID)
        } catch {
            tell(.failed(id: plan.id, failure: error.failure), [])
        }
    }

    private func running(
        _ id: String
    ) throws(StageError) -> (sandbox: RunningSandbox, resources: RunningSandbox.Resources) {
        func refused(_ why: String) -> StageError { StageError("sandbox", "sandbox \(id) \(why)", kind: .spec) }
        guard let sandbox = sandbox(id) else { throw refused("is not here: it has ended, or was never started") }
        switch sandbox.state {
        case .waiting, .starting: throw refused("has not started yet")
        case .draining, .ended, .failed: throw refused("has ended")
        case .running: break
        }
        guard let resources = sandbox.resources, sandbox.reason == .none, !isEnding else {
            throw refused("is being ended")
        }
        guard sandbox.execs.count < Self.execLimit else {
            throw refused("runs \(Self.execLimit) further commands, as many as it may; wait for one to end")
        }
        return (sandbox, resources)
    }

    private func build(_ plan: ExecPlan, _ sealed: SealedPlan<ExecPlan>, in sandboxID: String) throws(StageError) {
        let (sandbox, resources) = try running(sandboxID)
        let requested = BoottimeClock.microseconds()
        let token = takeToken()
        let exec = try stage("output") { () throws(SystemError) in
            try RunningExec(
                plan: plan, in: sandbox, token: token, requestedMicros: requested, standardOutput: try spools.take(),
                standardError: try spools.take())
        }
        let (output, error) = try openOutput(of: exec)
        do throws(StageError) {
            (exec.resources, exec.standardInput) = try factory.makeExec(
                plan, sealed, resources, sandbox.plan.capabilities, output: output, error: error)
        } catch {
            try? spooler.finish(token: token)
            throw error
        }
        execs[exec.id] = exec
        byToken[token] = exec
        sandbox.execs[token] = exec
        do throws(SystemError) { try watch(exec) } catch {
            // Its end is told when all of it is gone.
            exec.outputFailure = StageError("events", "events: \(error)", code: error.code).failure
            kill(exec)
            joined(exec)
        }
    }

    private func watch(_ exec: RunningExec) throws(SystemError) {
        guard let resources = exec.resources, let joining = resources.joining else { return }
        exec.deadline = loop.schedule(at: BoottimeClock.milliseconds() + Self.setupLimitMs) { [unowned self] in
            kill(exec)
        }
        try resources.failure.setNonBlocking()
        try loop.watch(resources.failure, .readable) { [unowned self] in readFailure(exec) }
        try loop.watch(joining.descriptor, .readable) { [unowned self] in joined(exec) }
    }

    /// Waits for the end of one that the program before started.
    func watch(_ exec: RunningExec, _ command: ChildProcess) throws(SystemError) {
        try loop.watch(command.descriptor, .readable) { [unowned self] in reap(exec) }
    }

    private func readFailure(_ exec: RunningExec) {
        guard readOutcome(of: exec) else { return }
        startTimers(exec)
        exec.sendEarly()
        if exec.isForgotten { return }
        tell(.started(id: exec.id, startedBoottimeMs: exec.startedMs), exec.descriptors)
    }

    /// When no writer is left: what the process said of its start, maybe that the command was executed.
    private func readToEnd(_ exec: RunningExec) {
        guard let failure = exec.failure else { return }
        while case .starting = exec.state, loop.isWatched(failure) { readFailure(exec) }
    }

    /// Who joined the sandbox has ended. The command's process is there by now, or never will be.
    private func joined(_ exec: RunningExec) {
        guard let joining = exec.resources?.joining else { return }
        loop.forget(joining.descriptor)
        _ = try? joining.reap()
        let pid = exec.resources?.number?.pid
        exec.resources?.joining = nil
        exec.resources?.number = nil
        if exec.resources?.cgroup.division != nil { exec.sandbox.resources?.cgroup.endDivision() }
        guard let pid else { return endProcesses(exec, end: .killed) }
        do throws(SystemError) {
            let command = try ChildProcess.adopt(pid)
            exec.resources?.command = command
            try watch(exec, command)
            if exec.isKilled { kill(exec) }
            exec.sendEarly()
        } catch {
            exec.outputFailure = exec.outputFailure ?? StageError.noDescriptors.failure
            _ = Glibc.kill(pid, SIGKILL)
            var status: Int32 = 0
            waitpid(pid, &status, 0)
            endProcesses(exec, end: .killed)
        }
    }

    private func reap(_ exec: RunningExec) {
        guard let command = exec.resources?.command else { return }
        loop.forget(command.descriptor)
        readToEnd(exec)
        // Its group goes with it, before its number can be another's.
        exec.send(UInt8(SIGKILL))
        let status = try? command.reap()
        exec.resources?.command = nil
        var end = status.map { ExitStatusRecord($0).end } ?? .killed
        // The kernel kills everything in the pid namespace when pid 1 ends.
        if end == .signaled(signal: UInt8(SIGKILL)), exec.reason == .none, exec.sandbox.isGoing { end = .killed }
        endProcesses(exec, end: end)
    }

    /// Kills what the command left behind and waits until it is gone.
    private func endProcesses(_ exec: RunningExec, end: ExitReport.End) {
        guard let resources = exec.resources else { return }
        readToEnd(exec)
        loop.forget(resources.failure)
        exec.deadline.map(loop.cancel)
        exec.standardInput = nil
        if resources.cgroup.oomKills() > 0 { exec.isOutOfMemory = true }
        if case .running = exec.state { exec.state = .draining(report(of: exec, resources.cgroup, end)) }
        remove(exec, resources.cgroup)
    }

    private func remove(_ exec: RunningExec, _ cgroup: ExecCgroup) {
        cgroup.kill()
        if cgroup.remove() {
            exec.resources = nil
            return drain(exec)
        }
        _ = loop.schedule(at: BoottimeClock.milliseconds() + Self.retryMs) { [unowned self] in remove(exec, cgroup) }
    }

    private func report(of exec: RunningExec, _ cgroup: ExecCgroup, _ end: ExitReport.End) -> ExitReport {
        ExitReport(
            end: end, reason: exec.reason, oomKills: cgroup.oomKills(), cpuMs: cgroup.cpuMilliseconds(),
            wallMs: BoottimeClock.milliseconds() - exec.startedMs, peakMemoryBytes: cgroup.peakMemory(),
            setupMicros: exec.setupMicros, leftOutLimits: rights.unlimitedBecause != nil)
    }

    /// The spooler has written everything of it.
    func finish(_ exec: RunningExec, _ end: JobEnd) {
        if exec.isForgotten {
            forget(exec)
        } else if case .ended(let report, _, _) = end {
            tell(.exited(id: exec.id, report: report), [])
        } else if case .failed(let failure) = end {
            forget(exec)
            tell(.failed(id: exec.id, failure: failure), [])
        }
        let sandbox = exec.sandbox
        sandbox.execs[exec.token] = nil
        guard sandbox.execs.isEmpty, let goOn = sandbox.afterExecs else { return }
        sandbox.afterExecs = nil
        goOn()
    }

    /// Ends every further command of a sandbox that has ended, and goes on when the worker has been told of each.
    func endExecs(of sandbox: RunningSandbox, then goOn: @escaping () -> Void) {
        if sandbox.execs.isEmpty { return goOn() }
        sandbox.afterExecs = goOn
        for exec in sandbox.execs.values { kill(exec) }
    }

    /// The worker that asked for them is gone.
    func forgetExecs() {
        for exec in execs.values {
            if case .ended = exec.state {
                forget(exec)
                continue
            }
            exec.isForgotten = true
            try? spooler.mute(token: exec.token)
            kill(exec)
        }
    }
}
