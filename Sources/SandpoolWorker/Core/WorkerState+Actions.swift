import SandpoolAPI
import SandpoolModel
import SandpoolSandbox

/// What the machines of the attempts ask for.
extension WorkerState {
    /// Applies an event to an attempt and does what its machine asks for.
    mutating func apply(_ event: AttemptMachine.Event, to id: AttemptID) {
        guard let actions = attempts[id]?.machine.handle(event) else { return }
        for action in actions { perform(action, for: id) }
    }

    /// The same, unless it is held under another epoch.
    mutating func apply(_ event: AttemptMachine.Event, to lease: AttemptLease) {
        if attempts[lease.attempt]?.lease == lease { apply(event, to: lease.attempt) }
    }

    private mutating func perform(_ action: AttemptMachine.Action, for id: AttemptID) {
        if case .release = action { return ask(.release(id: id.text)) }
        guard let lease = attempts[id]?.lease else { return }
        switch action {
        case .progress(.running): effects.append(.wake(afterMs: Limits.startHoldMs, .tellStart(lease)))
        case .progress(let state): tell(AttemptProgress(lease: lease, state: state, at: now.wall))
        case .launch: launch(id)
        case .cancelSandbox(let graceMs): cancelSandbox(of: id, graceMs: graceMs)
        case .collect: effects.append(.upload(lease))
        case .journal: gather(id)
        case .retryJournal: effects.append(.wake(afterMs: Limits.journalRetryMs, .retryJournal(lease)))
        case .report: offerResult(id)
        case .giveBack: giveBack(lease)
        case .settleJournal: effects.append(.settle(lease))
        case .forget: forget(id)
        case .release: break
        }
    }

    /// Hands an attempt to the launcher. While there is none, or no lease, it waits.
    mutating func launch(_ id: AttemptID) {
        guard let attempt = attempts[id], attempt.machine.phase == .launching, let assignment = attempt.assignment,
            let root = attempt.root
        else { return }
        guard hasListed, isLeaseValid else {
            waitingStarts.insert(id)
            return
        }
        attempts[id]?.usesHostImage = root == .host
        attempts[id]?.hasDownloads = !assignment.spec.downloads.isEmpty
        attempts[id]?.launchedMs = now.uptimeMs
        attempts[id]?.launcher = launcherInstance
        attempts[id]?.assignment = nil
        let record = AttemptRecord(
            assignment, bootID: settings.bootID, launcher: launcherInstance, usesHostImage: root == .host,
            layers: attempt.layers)
        effects.append(.start(record, assignment, root))
    }

    /// Tries again to start what waits.
    mutating func launchWaiting() {
        guard !waitingStarts.isEmpty else { return }
        let waiting = waitingStarts.sorted()
        waitingStarts = []
        for id in waiting { launch(id) }
    }

    mutating func startFailed(_ lease: AttemptLease, _ message: String) {
        let outcome = Outcome(cause: .setupFailed, message: "start: \(message)", commandStarted: false)
        apply(.launchFailed(end(outcome)), to: lease)
    }

    /// Word of a command's start, unless it has ended by now: the result says it then, and the coordinator is spared
    /// a commit.
    mutating func tellStart(_ lease: AttemptLease) {
        guard let attempt = held(lease), attempt.machine.phase == .running else { return }
        tell(AttemptProgress(lease: lease, state: .running, at: attempt.startedAt ?? now.wall))
    }

    mutating func tell(_ step: AttemptProgress) {
        outbox.add(step)
        wakeWriter()
    }

    private mutating func cancelSandbox(of id: AttemptID, graceMs: UInt64) {
        guard let attempt = attempts[id], attempt.isWaiting else { return ask(.cancel(id: id.text, graceMs: graceMs)) }
        // The launcher never heard of it.
        let outcome = attempt.machine.isCancelled ? Outcome.cancelledBeforeStart : abandonment(commandStarted: false)
        apply(.launchFailed(end(outcome)), to: id)
    }

    mutating func uploaded(_ lease: AttemptLease, digest: String?, message: String?) {
        guard held(lease) != nil else { return }
        attempts[lease.attempt]?.downloadsDigest = digest
        attempts[lease.attempt]?.collectMessage = message
        apply(.collected, to: lease)
    }

    private mutating func forget(_ id: AttemptID) {
        guard let attempt = attempts.removeValue(forKey: id) else { return }
        unacknowledgedBytes -= attempt.cursors.unacknowledged
        outbox.drop(attempt.lease)
        waitingStarts.remove(id)
        effects.append(.forget(attempt.lease, layers: attempt.layers, hasDownloads: attempt.hasDownloads))
        if unacknowledgedBytes < Limits.unacknowledgedBytes { wakeWriter() }
    }

    func end(_ outcome: Outcome, _ evidence: Evidence = Evidence()) -> AttemptEnd {
        AttemptEnd(outcome: outcome, evidence: evidence, finishedAt: now.wall)
    }

    mutating func ask(_ request: LauncherRequest) {
        if hasLauncher { effects.append(.ask(request)) }
    }

    mutating func free(_ layers: [String]) {
        if !layers.isEmpty { effects.append(.freeLayers(layers)) }
    }

    /// Has the writer look again, once for everything that this step makes ready.
    mutating func wakeWriter() { mustWakeWriter = true }
}
