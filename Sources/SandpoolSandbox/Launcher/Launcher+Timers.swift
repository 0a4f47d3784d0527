import Glibc
import LinuxSystem

/// The ladder by which a sandbox, or a command in one, is ended: SIGTERM, the grace, the kill of everything.
extension Launcher {
    /// Saturating: a timeout of centuries is none.
    private func deadline(in milliseconds: UInt64) -> UInt64 {
        let (at, overflow) = BoottimeClock.milliseconds().addingReportingOverflow(milliseconds)
        return overflow ? .max : at
    }

    func startTimers(_ sandbox: RunningSandbox) {
        let timers = sandbox.plan.timers
        sandbox.deadline.map(loop.cancel)
        sandbox.deadline = loop.schedule(at: deadline(in: timers.timeoutMs)) { [unowned self] in
            end(sandbox, .timeout, graceMs: timers.graceMs)
        }
        if timers.idleMs > 0 { scheduleIdleCheck(sandbox, in: timers.idleMs) }
    }

    /// Of one that runs: where it stands on the ladder, at the times that were set by the program before.
    func resumeTimers(_ command: RunningCommand) {
        if let killAt = command.killAtMs {
            command.deadline = loop.schedule(at: killAt) { [unowned self] in kill(command) }
        } else {
            let exec = command as? RunningExec
            let timers = (command as? RunningSandbox)?.plan.timers
            let timeout = exec?.plan.timeoutMs ?? timers?.timeoutMs ?? 0
            let grace = exec?.plan.graceMs ?? timers?.graceMs ?? 0
            if exec == nil || timeout > 0 {
                let (at, overflow) = command.startedMs.addingReportingOverflow(timeout)
                command.deadline = loop.schedule(at: overflow ? .max : at) { [unowned self] in
                    end(command, .timeout, graceMs: grace)
                }
            }
        }
        if let sandbox = command as? RunningSandbox, sandbox.plan.timers.idleMs > 0 {
            scheduleIdleCheck(sandbox, in: 0)
        }
    }

    func startTimers(_ exec: RunningExec) {
        exec.deadline.map(loop.cancel)
        exec.deadline = nil
        guard exec.plan.timeoutMs > 0 else { return }
        exec.deadline = loop.schedule(at: deadline(in: exec.plan.timeoutMs)) { [unowned self] in
            end(exec, .timeout, graceMs: exec.plan.graceMs)
        }
    }

    /// A second call can only bring the kill forward.
    func end(_ command: RunningCommand, _ reason: ExitReport.Reason, graceMs: UInt64) {
        if command.reason == .none, command.isUnderWay { command.reason = reason }
        guard case .running = command.state, command.isUnderWay, graceMs > 0 else { return kill(command) }
        let killAt = deadline(in: graceMs)
        if let earlier = command.killAtMs, earlier <= killAt { return }
        let isFirst = command.killAtMs == nil
        command.killAtMs = killAt
        command.deadline.map(loop.cancel)
        command.deadline = loop.schedule(at: killAt) { [unowned self] in kill(command) }
        if isFirst { command.send(UInt8(SIGTERM)) }
    }

    /// Also for a command that has just ended by itself: whether the launcher or the command was faster must not
    /// make two kinds of end.
    func endOnOutputLimit(_ command: RunningCommand) {
        guard let sandbox = command as? RunningSandbox, sandbox.plan.onOutputLimit == .end else { return }
        if case .draining(var report) = sandbox.state, report.reason == .none {
            report.reason = .outputLimit
            sandbox.state = .draining(report)
        } else {
            end(sandbox, .outputLimit, graceMs: 0)
        }
    }

    func kill(_ command: RunningCommand) {
        if let sandbox = command as? RunningSandbox { giveUp(sandbox) }
        command.kill()
    }

    /// A spool's time is that of the last output, so nothing has to be told for each byte. A sandbox is not idle while
    /// any command in it says something.
    private func scheduleIdleCheck(_ sandbox: RunningSandbox, in milliseconds: UInt64) {
        sandbox.idleCheck = loop.schedule(at: deadline(in: milliseconds)) { [unowned self] in
            guard case .running = sandbox.state else { return }
            let limit = sandbox.plan.timers.idleMs
            let quiet = sandbox.execs.values.reduce(sandbox.quietMs) { min($0, $1.quietMs) }
            if quiet >= limit {
                end(sandbox, .idleTimeout, graceMs: sandbox.plan.timers.graceMs)
            } else {
                scheduleIdleCheck(sandbox, in: limit - quiet)
            }
        }
    }
}
