import LinuxSystem
import NIOCore
import SandpoolAPI
import SandpoolModel

/// What goes up: the session's writer asks for the next items when it has room for them, so nothing piles up.
extension WorkerCore {
    /// Waits for something to send; nil when the session is over.
    func nextOutbound(session number: Int) async -> [OutboundItem]? {
        guard number == session.number else { return nil }
        let items = takeOutbound()
        if !items.isEmpty { return items }
        return await withCheckedContinuation { continuation in
            session.waiter?.resume(returning: nil)
            session.waiter = continuation
        }
    }

    /// Has the writer look again, once for everything that this turn of the loop makes ready.
    func wakeWriter() {
        guard session.waiter != nil, !session.isWakePosted else { return }
        session.isWakePosted = true
        thread.post { [self] in assumeIsolated { $0.resumeWriter() } }
    }

    private func resumeWriter() {
        session.isWakePosted = false
        guard let waiter = session.waiter else { return }
        let items = takeOutbound()
        guard !items.isEmpty else { return }
        session.waiter = nil
        waiter.resume(returning: items)
    }

    private func takeOutbound() -> [OutboundItem] {
        guard session.isWelcome else { return [] }
        // Asked for again, the writer has read what it took before.
        releaseToldExecs()
        // Output first, so that results which became ready by it can go along.
        let output = takeOutput()
        let results = takeResults()
        let execs = takeExecs()
        return outbox.takeAll().map(OutboundItem.message) + output + results + execs
    }

    private func takeOutput() -> [OutboundItem] {
        var items: [OutboundItem] = []
        var budget = Limits.bytesPerWrite
        // One chunk of each stream a turn: a talkative attempt does not hold up the others.
        while budget > 0, unacknowledgedBytes < Limits.unacknowledgedBytes, let id = outputTurns.next() {
            // The spooler's word can come before the launcher's `started` with the spools; that asks again.
            guard var attempt = attempts[id], attempt.hasSpools else { continue }
            for stream in [OutputStreamCode.stdout, .stderr] {
                let room = min(Frame.chunkBytes, Int(Limits.unacknowledgedBytes - unacknowledgedBytes))
                guard room > 0, let spool = attempt.spool(stream), let piece = attempt.cursors[stream].take(room)
                else { continue }
                budget -= piece.count
                unacknowledgedBytes += Int64(piece.count)
                items.append(
                    .output(
                        id: id.text, epoch: attempt.lease.epoch, stream: stream, spool: spool, offset: piece.offset,
                        count: piece.count))
            }
            let before = attempts.updateValue(attempt, forKey: id)?.cursors
            if attempt.cursors.unsent == 0 {
                offerResult(id)
            } else if attempt.cursors != before {
                outputTurns.append(id)
            }
            // Else its spools are not here yet: the notice of output can overtake `started`, which brings them.
        }
        return items
    }

    private func takeResults() -> [OutboundItem] {
        var results: [AttemptResult] = []
        var bytes = 0
        while bytes < Limits.resultBytesPerMessage, let id = resultTurns.next() {
            guard let attempt = attempts[id], attempt.isResultReady, let result = attempt.result else { continue }
            attempts[id]?.isResultSent = true
            outbox.dropProgress(of: id)
            bytes += 1_024 + (result.stdoutTail?.base64.utf8.count ?? 0) + (result.stderrTail?.base64.utf8.count ?? 0)
            results.append(result)
        }
        return results.isEmpty ? [] : [.message(.results(results))]
    }

    /// Puts a result in line if it can go up now.
    func offerResult(_ id: AttemptID) {
        guard attempts[id]?.isResultReady == true else { return }
        resultTurns.append(id)
        wakeWriter()
    }

    /// Sends output in frames from now on.
    func openOutput(_ id: AttemptID) {
        guard attempts[id] != nil else { return }
        attempts[id]?.isOutputOpen = true
        guard attempts[id]?.cursors.unsent ?? 0 > 0 else { return }
        outputTurns.append(id)
        wakeWriter()
    }

    /// The spools grew.
    func noteOutput(of id: AttemptID, stdout: Int64, stderr: Int64) {
        guard var attempt = attempts[id], attempt.machine.isActive else { return }
        attempt.cursors.stdout.grow(to: stdout)
        attempt.cursors.stderr.grow(to: stderr)
        let mustHold = !attempt.isOutputOpen && attempt.cursors.fitsInline
        let mustSetTimer = mustHold && !attempt.isOutputTimerSet
        if mustSetTimer { attempt.isOutputTimerSet = true }
        attempts[id] = attempt
        if !mustHold { return openOutput(id) }
        guard mustSetTimer else { return }
        // A command that ends within moments takes its output along in its result.
        schedule(afterMs: Limits.inlineHoldMs) { core in
            if core.attempts[id]?.machine.isActive == true { core.openOutput(id) }
        }
    }

    func acknowledge(_ lease: AttemptLease, stdout: Int64, stderr: Int64) {
        guard var attempt = held(lease) else { return }
        let before = attempt.cursors.unacknowledged
        attempt.cursors.stdout.acknowledge(stdout)
        attempt.cursors.stderr.acknowledge(stderr)
        unacknowledgedBytes -= before - attempt.cursors.unacknowledged
        attempts[lease.attempt] = attempt
        wakeWriter()
    }
}
