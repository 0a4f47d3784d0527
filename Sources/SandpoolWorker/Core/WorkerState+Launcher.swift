import SandpoolAPI
import SandpoolModel
import SandpoolSandbox

/// What the launcher says.
extension WorkerState {
    mutating func launcherConnected() {
        hasLauncher = true
        hasListed = false
        launcherInstance = nil
        inherited.adopted = []
    }

    mutating func launcherGone() {
        hasLauncher = false
        hasListed = false
    }

    mutating func handle(_ event: LauncherEvent, _ spools: SpoolSizes?) {
        switch event {
        case .welcome(_, _, let fingerprint, let makesDisks, let instance):
            launcherInstance = instance
            hostFingerprint = fingerprint
            self.makesDisks = makesDisks
        case .starting(let id): adopt(id, isStarted: false)
        case .adopted(let text, let startedMs):
            guard let id = adopt(text, isStarted: true) else { return }
            attach(spools, to: id, startedMs)
            openOutput(id)
            if attempts[id]?.machine.phase == .launching { apply(.started, to: id) }
        case .started(let text, let startedMs): started(text, startedMs, spools)
        case .failed(let id, let failure):
            guard let id = AttemptID(id), let attempt = attempts[id] else { return }
            let machine = attempt.machine
            let outcome =
                machine.isAbandoned && !machine.isCancelled
                ? abandonment(commandStarted: false)
                : attempt.outcomes.outcome(of: failure, isCancelled: machine.isCancelled)
            apply(.launchFailed(end(outcome)), to: id)
        case .exited(let id, let report): exited(id, report)
        case .layers: settleInheritance()
        case .refused, .layerReady, .layerFailed: break
        }
    }

    private mutating func started(_ text: String, _ startedMs: UInt64, _ spools: SpoolSizes?) {
        guard let id = AttemptID(text), let phase = attempts[id]?.machine.phase,
            phase == .launching || phase == .killing
        else {
            // Started for a worker that is gone: its attempt has ended without it.
            return ask(.cancel(id: text, graceMs: 0))
        }
        attach(spools, to: id, startedMs)
        apply(.started, to: id)
        // The spooler's word can have come before the spools.
        if attempts[id]?.isOutputOpen == true { openOutput(id) }
        noteOutput(of: id, stdout: 0, stderr: 0)
    }

    private mutating func attach(_ spools: SpoolSizes?, to id: AttemptID, _ startedMs: UInt64) {
        let sinceStart = now.uptimeMs - min(now.uptimeMs, Int64(clamping: startedMs))
        attempts[id]?.startedAt = Timestamp(milliseconds: now.wall.milliseconds - sinceStart)
        guard let spools else { return }
        attempts[id]?.hasSpools = true
        attempts[id]?.grow(to: spools)
    }

    private mutating func exited(_ text: String, _ report: ExitReport) {
        guard let id = AttemptID(text), let attempt = attempts[id] else {
            // Of an attempt that nobody knows any more: it was killed when it was adopted.
            return ask(.release(id: text))
        }
        let machine = attempt.machine
        // Said again to a worker that is back, whose result may carry the last of it.
        if machine.isActive { attempts[id]?.cursors = attempt.cursors(grownTo: report) }
        let isStarted = attempt.startedAt != nil
        // One that ended by itself just before has ended as it did.
        let outcome =
            machine.isAbandoned && !machine.isCancelled && report.reason == .cancelled
            ? abandonment(commandStarted: isStarted)
            : attempt.outcomes.outcome(of: report, commandStarted: isStarted)
        let evidence = Evidence(report, hostFingerprint: attempt.usesHostImage ? hostFingerprint : nil)
        apply(.exited(end(outcome, evidence), hasDownloads: attempt.hasDownloads), to: id)
    }

    /// The launcher will not come back: whatever ran is gone.
    mutating func loseSandboxes() {
        for (id, attempt) in attempts.sorted(by: { $0.key < $1.key }) where attempt.machine.hasSandbox {
            apply(.launcherLost(end(.launcherLost(commandStarted: !attempt.isWaiting))), to: id)
        }
    }
}
