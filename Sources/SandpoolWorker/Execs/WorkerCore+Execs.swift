import LinuxSystem
import SandpoolAPI
import SandpoolModel
import SandpoolSandbox

/// Further commands in the sandboxes of attempts. They belong to the session that asked for them.
extension WorkerCore {
    /// Hands an exec to the launcher, or refuses it in one line.
    func accept(_ exec: ExecAssignment) {
        // Sent twice: the first one goes on.
        guard execs[exec.id] == nil else { return }
        guard let attempt = state.held(exec.lease), attempt.machine.phase == .running, let job = attempt.job else {
            return refuse(exec, "the job does not run here any more")
        }
        guard execs.count < ExecAssignment.perWorker else {
            return refuse(exec, "\(execs.count) commands run beside the jobs of this worker; try again when some ended")
        }
        guard execs.values.count(where: { $0.lease == exec.lease }) < ExecAssignment.perJob else {
            return refuse(exec, "\(ExecAssignment.perJob) commands run beside the job; try again when some ended")
        }
        guard let launcher else { return refuse(exec, "the launcher is not there; try again shortly") }
        do {
            let plan = settings.plans.plan(for: exec, in: attempt, job: job)
            let file = try SealedFile.make(plan.encoded(), name: "exec")
            var outcomes = OutcomeBuilder()
            outcomes.memoryBytes = attempt.outcomes.memoryBytes
            outcomes.outputBytes = PlanBuilder.execOutputBytes(in: attempt)
            outcomes.timeoutSeconds = exec.spec.timeoutSeconds
            execs[exec.id] = LiveExec(
                id: exec.id, lease: exec.lease, outcomes: outcomes, graceMs: attempt.graceMs, ring: plan.ring)
            launcher.send(.exec(id: exec.id.text, sandbox: attempt.id.text), [file])
        } catch {
            refuse(exec, "\(error)")
        }
    }

    private func refuse(_ exec: ExecAssignment, _ reason: String) {
        let outcome = Outcome(cause: .setupFailed, message: reason, commandStarted: false, isRetryable: false)
        execOutbox.refuse(ExecResult(id: exec.id, outcome: outcome, stdoutBytes: 0, stderrBytes: 0))
        wakeWriter()
    }

    /// Applies an event to an exec and does what its machine asks for.
    func apply(_ event: ExecMachine.Event, to id: ExecID) {
        guard let actions = execs[id]?.machine.handle(event) else { return }
        for action in actions { perform(action, for: id) }
        freeSpool(of: id)
    }

    /// Lets the spooler write over what nobody needs any more, so that a command that waits for room goes on.
    private func freeSpool(of id: ExecID) {
        guard let freed = execs[id]?.takeFreed() else { return }
        launcher?.tellRead(freed)
    }

    private func perform(_ action: ExecMachine.Action, for id: ExecID) {
        guard let exec = execs[id] else { return }
        switch action {
        case .tellStart:
            execOutbox.noteStarted(id)
            wakeWriter()
        case .end: launcher?.send(.cancel(id: id.text, graceMs: exec.graceMs))
        case .offer: offerExec(id)
        case .release: launcher?.send(.release(id: id.text))
        case .forget:
            execOutbox.drop(id)
            execs[id] = nil
        }
    }

    // MARK: What the launcher says

    /// Takes what the launcher says of an exec; false when it is of something else.
    func takeExec(_ event: LauncherEvent, _ descriptors: [FileDescriptor]) -> Bool {
        switch event {
        case .started(let text, _):
            guard let id = ExecID(text), let ring = execs[id]?.ring else { return false }
            if let streams = CommandDescriptors(descriptors, ring: ring) {
                execs[id]?.stdout = streams.stdout
                execs[id]?.stderr = streams.stderr
                execs[id]?.input.attach(streams.input)
            }
            apply(.started, to: id)
            writeInput(of: .exec(id))
            // The spooler's word can come before the spools.
            offerExec(id)
        case .failed(let text, let failure):
            guard let id = ExecID(text), let exec = execs[id] else { return false }
            let outcome = exec.outcomes.outcome(of: failure, isCancelled: exec.machine.isCancelled)
            end(id, outcome, isKept: false)
        case .exited(let text, let report):
            guard let id = ExecID(text), let exec = execs[id] else { return false }
            if exec.stdout == nil {
                // Never started, so there are no spools to read anything from.
                execs[id]?.cursors = OutputCursors()
            } else {
                grow(id, stdout: report.stdoutBytes, stderr: report.stderrBytes)
            }
            end(id, exec.outcomes.outcome(ofExec: report), isKept: true)
        default: return false
        }
        return true
    }

    /// The launcher is gone, and every exec with it: it ends them with the connection.
    func loseExecs() {
        for id in execs.keys { end(id, .launcherLost(commandStarted: true), isKept: false) }
    }

    /// Takes the spooler's word of an exec; false when it is of something else.
    func noteExecOutput(_ progress: SpoolProgress) -> Bool {
        guard let id = ExecID(progress.id) else { return false }
        grow(id, stdout: progress.stdoutBytes, stderr: progress.stderrBytes)
        freeSpool(of: id)
        offerExec(id)
        return true
    }

    private func grow(_ id: ExecID, stdout: UInt64, stderr: UInt64) {
        execs[id]?.cursors.stdout.grow(to: Int64(clamping: stdout))
        execs[id]?.cursors.stderr.grow(to: Int64(clamping: stderr))
    }

    private func end(_ id: ExecID, _ outcome: Outcome, isKept: Bool) {
        closeInput(of: .exec(id))
        var outcome = outcome
        // As of a job: a longer one would be refused.
        outcome.message = outcome.message.map { TerminalText.harmless($0, limit: WorkerState.Limits.messageScalars) }
        apply(.ended(outcome, isKept: isKept), to: id)
        awaitReader(of: id)
    }

    /// Ends what is left of an exec whose client takes nothing of it any more: until then it holds a place and spools,
    /// and nothing else ends it.
    private func awaitReader(of id: ExecID) {
        guard let taken = execs[id]?.cursors.durable else { return }
        schedule(afterMs: settings.execPatienceMs) { core in
            guard let now = core.execs[id]?.cursors.durable else { return }
            guard now == taken else { return core.awaitReader(of: id) }
            core.execs[id]?.cutOff(afterMs: core.settings.execPatienceMs)
            core.offerExec(id)
        }
    }

    // MARK: What goes up

    /// Puts an exec in line for the session's writer.
    private func offerExec(_ id: ExecID) {
        guard execs[id] != nil else { return }
        execTurns.append(id)
        wakeWriter()
    }

    func noteTaken(_ id: ExecID, stdout: Int64, stderr: Int64) {
        execs[id]?.cursors.stdout.acknowledge(stdout)
        execs[id]?.cursors.stderr.acknowledge(stderr)
        freeSpool(of: id)
        offerExec(id)
    }

    /// Output and ends of execs, one chunk of each stream a turn, each within its own client's window.
    func takeExecs() -> [OutboundItem] {
        var items: [OutboundItem] = []
        var budget = Limits.execBytesPerWrite
        while budget > 0, let id = execTurns.next() {
            guard var exec = execs[id] else { continue }
            let pieces = exec.machine.isLeft ? [] : exec.takePieces()
            budget -= pieces.reduce(0) { $0 + $1.count }
            items += pieces.map(\.item)
            execs[id] = exec
            if exec.isFinished, let outcome = exec.outcome, !toldExecs.contains(id) {
                let (stdout, stderr) = (exec.cursors.stdout.available, exec.cursors.stderr.available)
                items.append(
                    .message(
                        .execEnded(
                            ExecResult(id: id, outcome: outcome, stdoutBytes: stdout, stderrBytes: stderr))))
                toldExecs.append(id)
            } else if !pieces.isEmpty {
                execTurns.append(id)
            }
        }
        return items
    }

    /// The stream ends before what cannot be read of it, and the end of the exec says so.
    func loseOutput(of id: ExecID, _ stream: OutputStreamCode, at offset: Int64, _ reason: String) {
        log.error("output of \(id.text) cannot be read at byte \(offset): \(reason)")
        execs[id]?.cut(stream, at: offset, reason)
        toldExecs.removeAll { $0 == id }
        offerExec(id)
    }

    /// Lets go of execs whose last bytes and end were read by the writer.
    func releaseToldExecs() {
        let told = toldExecs
        toldExecs = []
        for id in told { apply(.told, to: id) }
    }
}

extension LiveExec {
    /// The next chunk of each stream that the window has room for.
    fileprivate mutating func takePieces() -> [(count: Int, item: OutboundItem)] {
        var pieces: [(count: Int, item: OutboundItem)] = []
        for stream in [OutputStreamCode.stdout, .stderr] {
            let most = min(Frame.chunkBytes, room)
            guard most > 0, let spool = spool(stream), let piece = cursors[stream].take(most) else { continue }
            let item = OutboundItem.Piece(
                id: id.text, epoch: lease.epoch, stream: stream, spool: spool, offset: piece.offset,
                count: piece.count)
            pieces.append((piece.count, .output(item)))
        }
        return pieces
    }
}
