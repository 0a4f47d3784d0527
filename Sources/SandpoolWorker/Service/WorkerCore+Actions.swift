import Glibc
import LinuxSystem
import NIOCore
import SandpoolAPI
import SandpoolModel
import SandpoolSandbox

/// Doing what the machines ask for.
extension WorkerCore {
    /// Tells a step. A command that ends within moments needs no word of its start: the result says it, and the
    /// coordinator is spared a commit.
    private func report(_ step: AttemptProgress) {
        let send = { (core: isolated WorkerCore) in
            core.outbox.add(step)
            core.wakeWriter()
        }
        guard step.state == .running else { return send(self) }
        schedule(afterMs: Limits.startHoldMs) { core in
            if core.attempts[step.lease.attempt]?.machine.phase == .running { send(core) }
        }
    }

    func perform(_ action: AttemptMachine.Action, for id: AttemptID) {
        guard let attempt = attempts[id] else { return }
        switch action {
        case .progress(let state):
            report(AttemptProgress(lease: attempt.lease, state: state, at: settings.now()))
        case .launch: launch(id)
        case .cancelSandbox(let graceMs): launcher?.send(.cancel(id: id.text, graceMs: graceMs))
        case .collect: collect(attempt)
        case .journal(let end): gather(end, of: id)
        case .retryJournal(let end):
            schedule(afterMs: Limits.journalRetryMs) { $0.journalEnd(end, of: id) }
        case .report: offerResult(id)
        case .giveBack:
            outbox.giveBack(attempt.lease)
            wakeWriter()
        case .settleJournal: journal.settle(attempt.lease)
        case .release: launcher?.send(.release(id: id.text))
        case .forget: forget(attempt)
        }
    }

    /// Hands an attempt to the launcher. While there is none it waits for one.
    func launch(_ id: AttemptID) {
        guard let launcher, let assignment = attempts[id]?.assignment, let root = attempts[id]?.root else { return }
        let plan = settings.plans.plan(for: assignment, root: root)
        do {
            // Before the start: a sandbox without a record would be killed by the next run of this worker.
            let layers = attempts[id]?.layers ?? []
            try directory.attempts.save(
                AttemptRecord(assignment, bootID: settings.bootID, usesHostImage: root == .host, layers: layers))
            var descriptors = [try SealedFile.make(plan.encoded(), name: "plan")]
            if !plan.downloads.isEmpty {
                let path = "\(directory.downloads)/\(id.text)"
                descriptors.append(try FileDescriptor.open(path, O_RDWR | O_CREAT | O_TRUNC, mode: 0o600))
                attempts[id]?.downloadsPath = path
            }
            attempts[id]?.usesHostImage = root == .host
            attempts[id]?.launchedMs = BoottimeClock.milliseconds()
            attempts[id]?.assignment = nil
            launcher.send(.start(id: id.text), descriptors)
        } catch {
            let outcome = Outcome(cause: .setupFailed, message: "start: \(error)", commandStarted: false)
            apply(.launchFailed(end(outcome)), to: id)
        }
    }

    func end(_ outcome: Outcome, _ evidence: Evidence = Evidence()) -> AttemptEnd {
        AttemptEnd(outcome: outcome, evidence: evidence, finishedAt: settings.now())
    }

    private func collect(_ attempt: LiveAttempt) {
        let id = attempt.id
        guard let path = attempt.downloadsPath, let preparer else { return apply(.collected, to: id) }
        work.add { [self] in
            do {
                let digest = try await preparer.upload(downloadsAt: path)
                await collected(id, digest: digest, message: nil)
            } catch {
                await collected(id, digest: nil, message: "downloads: \(error)")
            }
        }
    }

    private func collected(_ id: AttemptID, digest: String?, message: String?) {
        attempts[id]?.downloadsDigest = digest
        attempts[id]?.collectMessage = message
        apply(.collected, to: id)
    }

    func journalEnd(_ end: AttemptEnd, of id: AttemptID) {
        guard var attempt = attempts[id], case .journaling = attempt.machine.phase else { return }
        var result = AttemptResult(
            lease: attempt.lease, outcome: end.outcome, evidence: end.evidence, startedAt: attempt.startedAt,
            finishedAt: end.finishedAt, downloads: attempt.downloadsDigest)
        if let message = attempt.collectMessage {
            result.outcome.message = result.outcome.message.map { "\($0); \(message)" } ?? message
        }
        // The coordinator refuses longer ones; a fetch or a build may have quoted anything.
        result.outcome.message = result.outcome.message.map {
            TerminalText.harmless($0, limit: Limits.messageScalars)
        }
        if let prepared = attempt.launchedMs {
            result.evidence.stagesMs["prepare"] = Int64(clamping: prepared - attempt.receivedMs)
        }
        takeTails(of: &attempt, into: &result)
        attempt.result = result
        attempts[id] = attempt
        if attempt.cursors.unsent > 0 { openOutput(id) }
        journal.append(result) { [self] failure in
            thread.post { [self] in assumeIsolated { $0.journaled(id, failure) } }
        }
    }

    /// Lets what is left of the output ride inside the result, if it is little.
    private func takeTails(of attempt: inout LiveAttempt, into result: inout AttemptResult) {
        guard attempt.cursors.fitsInline else { return }
        do {
            result.stdoutTail = try tail(of: attempt, .stdout)
            result.stderrTail = try tail(of: attempt, .stderr)
            attempt.cursors.stdout.cutAtSent()
            attempt.cursors.stderr.cutAtSent()
        } catch {
            // Read again, in frames, when the session sends it.
            (result.stdoutTail, result.stderrTail) = (nil, nil)
        }
    }

    private func tail(of attempt: LiveAttempt, _ stream: OutputStreamCode) throws -> OutputTail? {
        let cursor = attempt.cursors[stream]
        guard cursor.unsent > 0, let spool = attempt.spool(stream) else { return nil }
        let bytes = try spool.read(at: cursor.sent, count: Int(cursor.unsent))
        guard bytes.readableBytes == Int(cursor.unsent) else { throw WorkerError("a spool is shorter than was said") }
        return OutputTail(offset: cursor.sent, bytes: bytes)
    }

    private func journaled(_ id: AttemptID, _ failure: WorkerError?) {
        if let failure {
            log.error("\(failure)")
            apply(.journalFailed, to: id)
        } else {
            apply(.journaled, to: id)
        }
    }

    private func forget(_ attempt: LiveAttempt) {
        closeInput(of: .attempt(attempt.id))
        unacknowledgedBytes -= attempt.cursors.unacknowledged
        outbox.drop(attempt.lease)
        layerUse.remove(attempt.layers)
        directory.attempts.remove(attempt.id)
        if let path = attempt.downloadsPath { unlink(path) }
        attempts[attempt.id] = nil
        if unacknowledgedBytes < Limits.unacknowledgedBytes { wakeWriter() }
    }
}
