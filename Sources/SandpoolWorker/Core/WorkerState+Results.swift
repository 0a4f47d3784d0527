import SandpoolAPI
import SandpoolModel

/// Ends of attempts on their way into the journal.
///
/// A short job costs one sync here, one message, one commit and one decision of the scheduler there. With many
/// attempts alive these are what bounds the rate, and a few milliseconds of company share them among several.
/// A host with few attempts never waits (Docs/decisions/0004).
extension WorkerState {
    mutating func gather(_ id: AttemptID) {
        gathered.append(id)
        if attempts.count <= Limits.busyAttempts || gathered.count >= Limits.gatheredEnds {
            journalGathered()
        } else if gathered.count == 1 {
            effects.append(.wake(afterMs: Limits.gatherMs, .journal(group: gatheredGroups)))
        }
    }

    mutating func journalGathered() {
        let ids = gathered
        gathered = []
        gatheredGroups += 1
        for id in ids { journal(id) }
    }

    mutating func journal(_ id: AttemptID) {
        guard var attempt = attempts[id], case .journaling(let end) = attempt.machine.phase, !attempt.isJournaling
        else { return }
        var result = AttemptResult(
            lease: attempt.lease, outcome: end.outcome, evidence: end.evidence, startedAt: attempt.startedAt,
            finishedAt: end.finishedAt, downloads: attempt.downloadsDigest)
        for message in [attempt.collectMessage, attempt.lostOutput].compactMap(\.self) {
            result.outcome.add(message: message)
        }
        // The coordinator refuses longer ones; a fetch or a build may have quoted anything.
        result.outcome.message = result.outcome.message.map {
            TerminalText.harmless($0, limit: Limits.messageScalars)
        }
        if let prepared = attempt.launchedMs {
            result.evidence.stagesMs["prepare"] = max(0, prepared - attempt.receivedMs)
        }
        attempt.isJournaling = true
        // The spooler's word may have come before the spools, which come no more; nothing can be read or was sent.
        if !attempt.hasSpools { attempt.cursors = OutputCursors() }
        attempt.cutTails()
        attempts[id] = attempt
        if attempt.cursors.unsent > 0 { openOutput(id) }
        effects.append(.journal(result, stdout: attempt.tails.stdout, stderr: attempt.tails.stderr))
    }

    mutating func journaled(_ result: AttemptResult) {
        guard var attempt = held(result.lease), attempt.isJournaling else { return }
        attempt.isJournaling = false
        attempt.takeBackTails(stdout: result.stdoutTail == nil, stderr: result.stderrTail == nil)
        attempt.result = result
        // It may have come while the result was written.
        if let loss = attempt.lostOutput, result.outcome.message?.contains(loss) != true {
            attempt.result?.outcome.add(message: loss)
        }
        attempt.dropCutTails()
        attempts[attempt.id] = attempt
        if attempt.cursors.unsent > 0 { openOutput(attempt.id) }
        apply(.journaled, to: attempt.id)
    }

    mutating func journalFailed(_ lease: AttemptLease, _ message: String) {
        guard var attempt = held(lease), attempt.isJournaling else { return }
        attempt.isJournaling = false
        attempt.takeBackTails(stdout: true, stderr: true)
        attempts[attempt.id] = attempt
        effects.append(.log(message))
        apply(.journalFailed, to: lease)
    }

    /// Puts a result in line if it can go up now.
    mutating func offerResult(_ id: AttemptID) {
        guard attempts[id]?.isResultReady == true else { return }
        resultTurns.append(id)
        wakeWriter()
    }
}
