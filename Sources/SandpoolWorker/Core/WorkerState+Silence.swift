import SandpoolModel

/// The worker's own end of attempts whose place another may take.
///
/// The coordinator replaces an attempt that may be run again when it has heard nothing of its worker for some time. It
/// heard whatever it has answered no earlier than that was sent, so an attempt that is ended by then, counted from the
/// newest such moment, is gone before the next one starts. What may not be run again is never replaced, and goes on.
extension WorkerState {
    /// The coordinator has answered something that was sent then.
    mutating func noteAnswered(sentMs: Int64) {
        guard sentMs > silence.renewedMs else { return }
        silence.renewedMs = sentMs
        effects.append(.saveRenewal(Renewal(sentMs: sentMs, replaceMs: silence.replaceMs)))
    }

    /// A coordinator that does not run replaces nothing, and counts every worker as heard of when it starts. It renews
    /// no lease.
    mutating func noteDown(session number: Int) {
        if number == session.number { noteAnswered(sentMs: session.helloMs) }
    }

    /// Looks again at the end of the patience, unless that happens already.
    mutating func watchSilence() {
        guard silence.timerMs.map({ $0 > silence.endMs }) ?? true else { return }
        silence.timerMs = silence.endMs
        effects.append(.wake(afterMs: max(0, silence.endMs - now.uptimeMs), .silence))
    }

    mutating func silenceFired() {
        // One that was set for an earlier end leaves it to the next.
        if let timerMs = silence.timerMs, now.uptimeMs < timerMs { return }
        silence.timerMs = nil
        let atStake = attempts.values.filter(\.isAtStake).map(\.id).sorted()
        guard !atStake.isEmpty else { return }
        guard now.uptimeMs >= silence.endMs else { return watchSilence() }
        for id in atStake { apply(.abandon(end(abandonment(commandStarted: false))), to: id) }
    }

    func abandonment(commandStarted: Bool) -> Outcome {
        Outcome(
            cause: .workerLost,
            message: "the coordinator was not heard for \(silence.patienceMs / 1_000) s and may have given the job to "
                + "another worker, so this one ended it",
            commandStarted: commandStarted)
    }
}
