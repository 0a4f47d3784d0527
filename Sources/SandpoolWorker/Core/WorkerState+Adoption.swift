import SandpoolAPI
import SandpoolModel
import SandpoolSandbox

/// Taking over what the launcher has, after either of both has been away.
extension WorkerState {
    /// Takes a sandbox over that the launcher has. One that nobody knows of is killed.
    @discardableResult
    mutating func adopt(_ text: String, isStarted: Bool) -> AttemptID? {
        guard let id = AttemptID(text), attempts[id] != nil || inherited.records[id] != nil else {
            ask(.cancel(id: text, graceMs: 0))
            return nil
        }
        inherited.adopted.insert(id)
        if attempts[id] == nil, let record = inherited.records.removeValue(forKey: id) {
            let result = inherited.results.removeValue(forKey: id)
            let machine: AttemptMachine =
                result == nil ? .adopted(isStarted: isStarted) : .journaled(hasSandbox: true)
            restore(record, result, machine: machine)
        }
        if let graceMs = attempts[id]?.graceMs { apply(.found(graceMs: graceMs), to: id) }
        return id
    }

    /// The launcher has listed everything: what it does not have is gone, and what waits for it can be started.
    mutating func settleInheritance() {
        hasListed = hasLauncher
        for (id, attempt) in attempts.sorted(by: { $0.key < $1.key })
        where attempt.machine.hasSandbox && !inherited.adopted.contains(id) && !attempt.isWaiting {
            apply(.launcherLost(end(loss(of: attempt))), to: id)
        }
        let (records, results) = (inherited.records, inherited.results)
        inherited = Inherited()
        for (id, record) in records.sorted(by: { $0.key < $1.key }) {
            let machine: AttemptMachine =
                results[id] == nil ? .adopted(isStarted: false) : .journaled(hasSandbox: false)
            restore(record, results[id], machine: machine)
            guard let attempt = attempts[id] else { continue }
            let outcome = record.bootID == settings.bootID ? loss(of: attempt) : .hostRestarted
            apply(.launcherLost(end(outcome)), to: id)
        }
        for (id, result) in results.sorted(by: { $0.key < $1.key }) where records[id] == nil { restore(result) }
        launchWaiting()
        if attempts.values.contains(where: \.isAtStake) { watchSilence() }
    }

    /// What became of an attempt that the launcher does not have.
    ///
    /// It keeps a sandbox until this worker has it released, and by then the worker has dropped its record. So what is
    /// not there, and was to be asked of the same launcher, never got to it, or failed before its command was executed.
    private func loss(of attempt: LiveAttempt) -> Outcome {
        let isSame = attempt.launcher != nil && attempt.launcher == launcherInstance
        return isSame && attempt.machine.phase == .launching ? .neverAsked : .launcherLost(commandStarted: true)
    }

    private mutating func restore(_ record: AttemptRecord, _ result: AttemptResult?, machine: AttemptMachine) {
        var attempt = LiveAttempt(
            lease: record.lease, job: record.job, machine: machine, outcomes: OutcomeBuilder(record),
            graceMs: PlanBuilder.graceMs(record.graceSeconds), isRerunSafe: record.isRerunSafe ?? false,
            receivedMs: now.uptimeMs)
        attempt.launcher = record.launcher
        attempt.layers = record.layers
        attempt.usesHostImage = record.usesHostImage
        attempt.hasDownloads = record.hasDownloads
        attempt.result = result
        if !record.layers.isEmpty { effects.append(.useLayers(record.layers)) }
        attempts[attempt.id] = attempt
        offerResult(attempt.id)
    }

    /// A result whose sandbox and record are gone already.
    private mutating func restore(_ result: AttemptResult) {
        var attempt = LiveAttempt(
            lease: result.lease, machine: .journaled(hasSandbox: false), receivedMs: now.uptimeMs)
        attempt.result = result
        attempts[attempt.id] = attempt
        offerResult(attempt.id)
    }
}
