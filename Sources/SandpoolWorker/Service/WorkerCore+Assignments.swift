import LinuxSystem
import SandpoolAPI
import SandpoolModel
import SandpoolSandbox

/// What the coordinator asks for.
extension WorkerCore {
    /// Applies a message. One for an attempt that is not here, or is held under another epoch, is late and
    /// changes nothing.
    ///
    /// - Parameter message: checked.
    /// - Throws: `WorkerError`, which ends the session, when more comes back than the coordinator takes.
    func handle(_ message: CoordinatorMessage, session number: Int) throws {
        guard number == session.number else { return }
        switch message {
        case .welcome, .failed: break
        case .assign(let assignments): for assignment in assignments { accept(assignment) }
        case .cancel(let lease): cancel(lease)
        case .signal(let lease, let signal):
            guard let attempt = held(lease), attempt.machine.isActive else { return }
            launcher?.send(.signal(id: attempt.id.text, signal: UInt8(clamping: signal)))
        case .kill(let lease):
            if held(lease) != nil { apply(.kill, to: lease.attempt) }
        case .recorded(let results): for result in results { record(result) }
        case .outputDurable(let lease, let stdout, let stderr): acknowledge(lease, stdout: stdout, stderr: stderr)
        case .heartbeat(let sentMs): renewLease(sentMs: sentMs)
        case .drain: drain()
        case .exec(let assignment): accept(assignment)
        case .execSignal(let id, let signal):
            guard execs[id]?.machine.isActive == true else { return }
            launcher?.send(.signal(id: id.text, signal: UInt8(clamping: signal)))
        case .execCancel(let id): apply(.cancel, to: id)
        case .execLeave(let id): apply(.leave, to: id)
        case .execOutputTaken(let id, let stdout, let stderr): noteTaken(id, stdout: stdout, stderr: stderr)
        }
        guard outbox.returnedCount <= Limits.attempts else {
            throw WorkerError("the coordinator asks and does not read: \(outbox.returnedCount) answers wait")
        }
    }

    func held(_ lease: AttemptLease) -> LiveAttempt? {
        attempts[lease.attempt].flatMap { $0.lease == lease ? $0 : nil }
    }

    private func accept(_ assignment: Assignment) {
        let id = assignment.lease.attempt
        // Sent twice: the first one goes on.
        guard attempts[id] == nil else { return }
        let isTrusted = verification?.isTrusted ?? true
        guard !isDraining, isTrusted, attempts.count < Limits.attempts, isLeaseValid else {
            outbox.giveBack(assignment.lease)
            return wakeWriter()
        }
        attempts[id] = LiveAttempt(
            lease: assignment.lease, job: assignment.job, machine: AttemptMachine(),
            outcomes: OutcomeBuilder(assignment.spec), graceMs: PlanBuilder.graceMs(assignment.spec.graceSeconds),
            assignment: assignment,
            receivedMs: BoottimeClock.milliseconds())
        if let root = preparer?.immediateRoot(for: assignment.spec) {
            prepared(id, root)
        } else {
            prepareInBackground(assignment)
        }
    }

    private func prepareInBackground(_ assignment: Assignment) {
        let id = assignment.lease.attempt
        guard let preparer else { return }
        outbox.add(AttemptProgress(lease: assignment.lease, state: .preparing, at: settings.now()))
        wakeWriter()
        work.add { [self] in
            do throws(PreparationFailure) {
                let root = try await preparer.prepare(assignment) { await self.apply(.building, to: id) }
                await prepared(id, root)
            } catch {
                await apply(.preparationFailed(end(error.outcome)), to: id)
            }
        }
    }

    private func prepared(_ id: AttemptID, _ root: PreparedRoot) {
        guard attempts[id]?.machine.phase == .preparing else { return layerUse.remove(root.layers) }
        attempts[id]?.root = root.root
        attempts[id]?.layers = root.layers
        apply(.prepared, to: id)
    }

    private func cancel(_ lease: AttemptLease) {
        guard let attempt = held(lease) else { return }
        apply(.cancel(end(.cancelledBeforeStart), graceMs: attempt.graceMs), to: attempt.id)
    }

    private func record(_ verdict: RecordedResult) {
        guard let attempt = held(verdict.lease), attempt.result != nil else { return }
        switch verdict.verdict {
        case .fenced: apply(.kill, to: attempt.id)
        // The coordinator makes the output before a result durable before it records the result.
        case .recorded, .duplicate: apply(.settled, to: attempt.id)
        }
    }

    private func drain() {
        isDraining = true
        for id in attempts.keys { apply(.drain, to: id) }
    }
}
