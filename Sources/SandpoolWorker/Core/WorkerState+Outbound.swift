import SandpoolAPI
import SandpoolModel

/// What goes up: the session's writer asks for the next items when it has room for them, so nothing piles up.
extension WorkerState {
    /// Takes what is ready; nothing before the coordinator's welcome.
    package mutating func takeOutbound() -> [Item] {
        guard session.isWelcome else { return [] }
        // Output first, so that results which became ready by it can go along.
        let output = takeOutput()
        let results = takeResults()
        return outbox.takeAll().map(Item.message) + output + results
    }

    private mutating func takeOutput() -> [Item] {
        var items: [Item] = []
        var budget = Limits.bytesPerWrite
        // One chunk of each stream a turn: a talkative attempt does not hold up the others.
        while budget > 0, unacknowledgedBytes < Limits.unacknowledgedBytes, let id = outputTurns.next() {
            // The spooler's word can come before the launcher's `started` with the spools; that asks again.
            guard var attempt = attempts[id], attempt.hasSpools, attempt.isOutputWanted else { continue }
            for stream in [OutputStreamCode.stdout, .stderr] {
                let room = min(Frame.chunkBytes, Int(Limits.unacknowledgedBytes - unacknowledgedBytes))
                guard room > 0, let piece = attempt.cursors[stream].take(room) else { continue }
                budget -= piece.count
                unacknowledgedBytes += Int64(piece.count)
                items.append(.output(attempt.lease, stream, offset: piece.offset, count: piece.count))
            }
            attempts[id] = attempt
            if attempt.cursors.unsent > 0 {
                outputTurns.append(id)
            } else if attempt.isResultReady {
                resultTurns.append(id)
            }
        }
        return items
    }

    private mutating func takeResults() -> [Item] {
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

    /// Sends output in frames from now on.
    mutating func openOutput(_ id: AttemptID) {
        guard let unsent = attempts[id]?.cursors.unsent else { return }
        attempts[id]?.isOutputOpen = true
        guard unsent > 0 else { return }
        outputTurns.append(id)
        wakeWriter()
    }

    /// The spools grew.
    mutating func noteOutput(of id: AttemptID, stdout: Int64, stderr: Int64) {
        guard var attempt = attempts[id], attempt.machine.isActive else { return }
        attempt.cursors.stdout.grow(to: stdout)
        attempt.cursors.stderr.grow(to: stderr)
        let mustHold = !attempt.isOutputOpen && attempt.cursors.fitsInline
        let mustSetTimer = mustHold && !attempt.isOutputTimerSet
        if mustSetTimer { attempt.isOutputTimerSet = true }
        attempts[id] = attempt
        if !mustHold { return openOutput(id) }
        // A command that ends within moments takes its output along in its result.
        if mustSetTimer { effects.append(.wake(afterMs: Limits.inlineHoldMs, .openOutput(attempt.lease))) }
    }

    /// Bytes that were to be sent cannot be read: the stream ends before them, and the session goes on.
    mutating func loseOutput(of lease: AttemptLease, _ stream: OutputStreamCode, at offset: Int64, _ reason: String) {
        guard var attempt = held(lease) else { return }
        let before = attempt.cursors.unacknowledged
        attempt.cut(stream, at: offset, reason)
        unacknowledgedBytes -= before - attempt.cursors.unacknowledged
        attempts[lease.attempt] = attempt
        effects.append(.log("output of \(lease.attempt.text) cannot be read at byte \(offset): \(reason)"))
        offerResult(lease.attempt)
        wakeWriter()
    }

    mutating func acknowledge(_ lease: AttemptLease, stdout: Int64, stderr: Int64) {
        guard var attempt = held(lease) else { return }
        let before = attempt.cursors.unacknowledged
        attempt.cursors.stdout.acknowledge(stdout)
        attempt.cursors.stderr.acknowledge(stderr)
        unacknowledgedBytes -= before - attempt.cursors.unacknowledged
        attempts[lease.attempt] = attempt
        wakeWriter()
    }

    mutating func noteConsumed(_ lease: AttemptLease, offset: Int64) {
        guard held(lease) != nil else { return }
        outbox.noteConsumed(lease, offset: offset)
        wakeWriter()
    }
}
