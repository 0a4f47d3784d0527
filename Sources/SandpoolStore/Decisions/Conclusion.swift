import SandpoolModel

/// What the end of an attempt makes of its job.
package enum Conclusion: Hashable, Sendable {
    case finish(Outcome)
    /// Back into the queue, to start after `delay`, or at once.
    case requeue(RetryCounts, delay: Duration?)

    /// Decides by the outcome, the retries used up before it, and whether the user wants the job at all.
    ///
    /// - Parameter spec: read only where the outcome is not a success, which most are.
    package static func of(
        _ outcome: Outcome, counts: RetryCounts, cancelRequested: Bool, spec: () throws -> JobSpec
    ) rethrows -> Conclusion {
        if outcome.jobState == .succeeded { return .finish(outcome) }
        if cancelRequested { return .finish(outcome.cause.fault == .user ? outcome : cancelled(outcome)) }
        var counts = counts
        counts.count(outcome)
        switch try spec().decideRetry(after: outcome, counts: counts) {
        case .retry(let delay): return .requeue(counts, delay: delay)
        case .finish: return .finish(counts.isPoison && outcome.isLossOfWorker ? poison(outcome, counts) : outcome)
        }
    }

    /// Decides where the attempt was given back unstarted: no retry is used up.
    package static func ofReturn(counts: RetryCounts, cancelRequested: Bool) -> Conclusion {
        cancelRequested ? .finish(cancelledUnstarted) : .requeue(counts, delay: nil)
    }

    /// The end of a job that waited for too long.
    package static let expired = Outcome(
        cause: .queueTimeout, message: "it waited in the queue for longer than its queue timeout",
        commandStarted: false)

    /// The end of a job that was cancelled before any worker had anything to say of the command.
    package static let cancelledUnstarted = Outcome(cause: .cancelled, commandStarted: false)

    /// The end of a job that took worker after worker down: its message says so, since the last loss alone does not.
    private static func poison(_ outcome: Outcome, _ counts: RetryCounts) -> Outcome {
        var outcome = outcome
        outcome.message =
            "lost \(counts.workersLost) workers while running; stopped as poison; find out what it does to its host "
            + "before you run it again" + (outcome.message.map { "; the last loss: \($0)" } ?? "")
        return outcome
    }

    /// Nobody saw the command end, and nobody waits for it: the job ends as its user asked.
    private static func cancelled(_ outcome: Outcome) -> Outcome {
        Outcome(cause: .cancelled, message: outcome.message, commandStarted: outcome.commandStarted)
    }
}

extension Outcome {
    /// Whether the command went down together with its worker.
    fileprivate var isLossOfWorker: Bool { cause == .workerLost && commandStarted }
}
