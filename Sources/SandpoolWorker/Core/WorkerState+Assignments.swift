import SandpoolAPI
import SandpoolModel
import SandpoolSandbox

/// What the coordinator asks for.
extension WorkerState {
    /// Applies a message. One for an attempt that is not here, or is held under another epoch, is late and
    /// changes nothing.
    mutating func handle(_ message: CoordinatorMessage, session number: Int) {
        guard number == session.number else { return }
        session.heardMs = now.uptimeMs
        switch message {
        case .assign(let assignments): for assignment in assignments { accept(assignment) }
        case .cancel(let lease): cancel(lease)
        case .signal(let lease, let signal):
            guard let attempt = held(lease), attempt.machine.isActive else { return }
            ask(.signal(id: attempt.id.text, signal: UInt8(clamping: signal)))
        case .kill(let lease): apply(.kill, to: lease)
        case .recorded(let results): for result in results { record(result) }
        case .outputDurable(let lease, let stdout, let stderr): acknowledge(lease, stdout: stdout, stderr: stderr)
        case .heartbeat(let sentMs): renewLease(sentMs: sentMs)
        case .drain: drain()
        case .welcome, .failed, .exec, .execSignal, .execCancel, .execLeave, .execOutputTaken: break
        }
    }

    private mutating func accept(_ assignment: Assignment) {
        let lease = assignment.lease
        if let attempt = attempts[lease.attempt] {
            // Sent twice: the first one goes on. Under another epoch it is not the same, and has no place here.
            if attempt.lease != lease { giveBack(lease) }
            return
        }
        let isTrusted = verification?.isTrusted ?? true
        guard !isDraining, isTrusted, attempts.count < Limits.attempts, isLeaseValid else { return giveBack(lease) }
        attempts[lease.attempt] = LiveAttempt(
            lease: lease, job: assignment.job, outcomes: OutcomeBuilder(assignment.spec),
            graceMs: PlanBuilder.graceMs(assignment.spec.graceSeconds), isRerunSafe: assignment.spec.isRerunSafe,
            assignment: assignment, receivedMs: now.uptimeMs)
        if assignment.spec.isRerunSafe { watchSilence() }
        effects.append(.prepare(assignment))
    }

    /// Says that an attempt was not begun, and says it again with the next hello: nothing answers it.
    mutating func giveBack(_ lease: AttemptLease) {
        outbox.giveBack(lease)
        if givenBack.count == Limits.returns { givenBack.removeFirst() }
        givenBack.append(lease)
        wakeWriter()
    }

    mutating func notePreparing(_ lease: AttemptLease) {
        guard held(lease)?.machine.phase == .preparing else { return }
        tell(AttemptProgress(lease: lease, state: .preparing, at: now.wall))
    }

    mutating func prepared(_ lease: AttemptLease, _ root: PreparedRoot) {
        guard held(lease)?.machine.phase == .preparing else { return free(root.layers) }
        attempts[lease.attempt]?.root = root.root
        attempts[lease.attempt]?.layers = root.layers
        apply(.prepared, to: lease)
    }

    private mutating func cancel(_ lease: AttemptLease) {
        guard let attempt = held(lease) else { return }
        apply(.cancel(end(.cancelledBeforeStart), graceMs: attempt.graceMs), to: lease)
    }

    /// The coordinator makes the output before a result durable before it records the result. One that is fenced is
    /// kept there aside.
    private mutating func record(_ verdict: RecordedResult) {
        if held(verdict.lease)?.result != nil { apply(.settled, to: verdict.lease) }
    }

    private mutating func drain() {
        isDraining = true
        for id in attempts.keys.sorted() { apply(.drain, to: id) }
    }

    /// Answers that wait for a coordinator to read them; the only thing here whose number it can drive up.
    package var waitingAnswers: Int { outbox.returnedCount }
}
