import SandpoolModel

/// A job as it is stored, with what a `Job` does not show.
package struct AuditedJob: Hashable, Sendable {
    package var id: JobID
    package var spec: JobSpec
    package var state: JobState
    package var epoch: Int64
    package var counts: RetryCounts
    package var isCancelRequested: Bool
    /// How it ended; `nil` where it has not.
    package var end: JobEnd?
    package var createdAt: Timestamp
    package var startedAt: Timestamp?
    package var finishedAt: Timestamp?

    package init(
        id: JobID, spec: JobSpec, state: JobState, epoch: Int64, counts: RetryCounts, isCancelRequested: Bool,
        end: JobEnd?, createdAt: Timestamp, startedAt: Timestamp?, finishedAt: Timestamp?
    ) {
        self.id = id
        self.spec = spec
        self.state = state
        self.epoch = epoch
        self.counts = counts
        self.isCancelRequested = isCancelRequested
        self.end = end
        self.createdAt = createdAt
        self.startedAt = startedAt
        self.finishedAt = finishedAt
    }
}

/// What an outcome leaves in its job's row, but for the message, whose words may change with a version.
package struct JobEnd: Hashable, Sendable {
    package var cause: Cause
    package var exitCode: Int?
    package var signal: Int?

    package init(cause: Cause, exitCode: Int?, signal: Int?) {
        self.cause = cause
        self.exitCode = exitCode
        self.signal = signal
    }

    init(_ outcome: Outcome) {
        self.init(cause: outcome.cause, exitCode: outcome.exitCode, signal: outcome.signal)
    }

    /// Ends that come while no attempt is under way: a cancel, or too long a wait.
    static let inQueue: Set<JobEnd> = [JobEnd(Conclusion.cancelledUnstarted), JobEnd(Conclusion.expired)]
}

extension JobEnd: CustomStringConvertible {
    package var description: String {
        let number = exitCode.map { " with \($0)" } ?? signal.map { " by signal \($0)" } ?? ""
        return cause.rawValue + number
    }
}
