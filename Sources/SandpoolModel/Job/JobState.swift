/// Where a job stands, as its user sees it. A function of its attempts and its retry policy.
///
/// Legal moves: `queued → starting → running → terminal`; back to `queued` when an attempt is retried; and
/// from any state that is not terminal to `cancelled`, `timedOut` or `errored`.
public enum JobState: String, Codable, Sendable, CaseIterable {
    /// Waits for a worker.
    case queued
    /// A worker holds it: fetching, building, or setting the sandbox up.
    case starting
    /// The command was exec'd.
    case running
    /// Exit code 0.
    case succeeded
    /// Any other end of the user's own making.
    case failed
    /// One of its time limits passed.
    case timedOut = "timed_out"
    /// Ended by request.
    case cancelled
    /// Sandpool could not run it, or lost it, or a build step of its recipe failed.
    case errored

    /// Whether the state is final.
    public var isTerminal: Bool {
        switch self {
        case .queued, .starting, .running: false
        case .succeeded, .failed, .timedOut, .cancelled, .errored: true
        }
    }
}

/// Where one try of a job on one worker stands. Immutable once terminal.
public enum AttemptState: String, Codable, Sendable, CaseIterable {
    /// Given to a worker.
    case leased
    /// The worker fetches what it needs and sets the sandbox up.
    case preparing
    /// A recipe's image is being built.
    case building
    /// The command was exec'd.
    case running
    /// The worker reported an end.
    case finished
    /// No worker holds it any more.
    case lost
    /// Another attempt took its place; what this one reports is kept aside.
    case superseded

    public var isTerminal: Bool {
        switch self {
        case .leased, .preparing, .building, .running: false
        case .finished, .lost, .superseded: true
        }
    }
}

/// Why a job or an attempt ended.
public enum Cause: String, Codable, Sendable, CaseIterable {
    case exited
    case signaled
    case oom
    case diskLimit = "disk_limit"
    case outputLimit = "output_limit"
    case timeout
    case idleTimeout = "idle_timeout"
    case queueTimeout = "queue_timeout"
    case cancelled
    case buildFailed = "build_failed"
    case setupFailed = "setup_failed"
    case fetchFailed = "fetch_failed"
    case workerLost = "worker_lost"
    case preempted

    /// Whose failure it is.
    public var fault: Fault {
        switch self {
        case .setupFailed, .fetchFailed, .workerLost, .preempted: .infrastructure
        case .exited, .signaled, .oom, .diskLimit, .outputLimit, .timeout, .idleTimeout, .queueTimeout,
            .cancelled, .buildFailed:
            .user
        }
    }
}

/// Who has to act on a failure.
public enum Fault: String, Codable, Sendable {
    case user
    case infrastructure
}
