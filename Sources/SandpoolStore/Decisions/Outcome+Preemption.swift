import SandpoolModel

extension Outcome {
    /// The outcome as it is recorded. A worker cancels only when it is told to: where no user asked for that, the
    /// coordinator did, at the deadline of the worker's drain, and the job's user has no part in it.
    package func attributed(cancelRequested: Bool) -> Outcome {
        guard cause == .cancelled, !cancelRequested else { return self }
        var outcome = self
        outcome.cause = .preempted
        outcome.message =
            commandStarted
            ? "its worker was drained, and the deadline came while the command ran"
            : "its worker was drained before the command started"
        return outcome
    }
}
