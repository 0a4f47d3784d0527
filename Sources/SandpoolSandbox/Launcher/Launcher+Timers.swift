import Glibc
import LinuxSystem

/// The ladder by which a sandbox is ended: SIGTERM, the grace, the kill of everything.
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

    /// A second call can only bring the kill forward.
    func end(_ sandbox: RunningSandbox, _ reason: ExitReport.Reason, graceMs: UInt64) {
        if sandbox.reason == .none, sandbox.isUnderWay { sandbox.reason = reason }
        giveUp(sandbox)
        guard let first = sandbox.resources?.first else { return }
        guard case .running = sandbox.state, graceMs > 0 else { return kill(sandbox) }
        let killAt = deadline(in: graceMs)
        if let earlier = sandbox.killAtMs, earlier <= killAt { return }
        let isFirst = sandbox.killAtMs == nil
        sandbox.killAtMs = killAt
        sandbox.deadline.map(loop.cancel)
        sandbox.deadline = loop.schedule(at: killAt) { [unowned self] in kill(sandbox) }
        if isFirst { LauncherSignal.send(UInt8(SIGTERM), to: first) }
    }

    /// Also for a command that has just ended by itself: whether the launcher or the command was faster must not
    /// make two kinds of end.
    func endOnOutputLimit(_ sandbox: RunningSandbox) {
        guard sandbox.plan.onOutputLimit == .end else { return }
        if case .draining(var report) = sandbox.state, report.reason == .none {
            report.reason = .outputLimit
            sandbox.state = .draining(report)
        } else {
            end(sandbox, .outputLimit, graceMs: 0)
        }
    }

    /// The end of pid 1 is the end of everything in its pid namespace; `cgroup.kill` does not even wait for
    /// pid 1 to be scheduled.
    func kill(_ sandbox: RunningSandbox) {
        giveUp(sandbox)
        guard let resources = sandbox.resources else { return }
        if !resources.cgroup.kill() { try? resources.first.send(SIGKILL) }
    }

    /// A spool's time is that of the last output, so nothing has to be told for each byte.
    private func scheduleIdleCheck(_ sandbox: RunningSandbox, in milliseconds: UInt64) {
        sandbox.idleCheck = loop.schedule(at: deadline(in: milliseconds)) { [unowned self] in
            guard case .running = sandbox.state else { return }
            let limit = sandbox.plan.timers.idleMs
            let quiet = min(
                sandbox.standardOutput.millisecondsSinceWrite,
                sandbox.standardError.millisecondsSinceWrite,
                BoottimeClock.milliseconds() - sandbox.startedMs)
            if quiet >= limit {
                end(sandbox, .idleTimeout, graceMs: sandbox.plan.timers.graceMs)
            } else {
                scheduleIdleCheck(sandbox, in: limit - quiet)
            }
        }
    }
}
