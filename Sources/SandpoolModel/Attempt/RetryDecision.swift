/// How often a job has been tried, by the reason that a try counts.
public struct RetryCounts: Hashable, Sendable, Codable {
    /// Attempts that ended before their command was exec'd.
    public var notStarted = 0
    /// Attempts that ran and were lost.
    public var lostRunning = 0
    /// Attempts that ended by the user's own failure.
    public var userFailures = 0

    public init() {}
}

/// What becomes of a job whose attempt ended.
public enum RetryDecision: Hashable, Sendable {
    /// Back into the queue, not before `delay` has passed.
    case retry(after: Duration)
    /// The job ends with the attempt's outcome.
    case finish
}

/// The bounds of design decision 5: retries that Sandpool makes of its own.
public enum RetryLimits {
    /// Tries after the first for an attempt whose command was never exec'd.
    public static let notStarted = 2
    /// Tries after the first for an attempt that ran, was lost, and may be rerun. A job that loses a second
    /// worker while running is taken for poison, so this is one below `notStarted`.
    public static let lostRunning = 1
    /// Wait before the n-th retry: 1 s, 2 s, 4 s … at most 30 s.
    public static func delay(retry: Int) -> Duration { .seconds(min(30, 1 << min(max(retry - 1, 0), 5))) }
}

extension JobSpec {
    /// Decides whether a job is tried again after an attempt ended with `outcome`.
    ///
    /// - Parameter counts: the attempts so far, the one that just ended included.
    public func decideRetry(after outcome: Outcome, counts: RetryCounts) -> RetryDecision {
        switch outcome.cause.fault {
        case .user:
            guard outcome.jobState == .failed, counts.userFailures <= retries else { return .finish }
            return .retry(after: RetryLimits.delay(retry: counts.userFailures))
        case .infrastructure where !outcome.isRetryable:
            return .finish
        case .infrastructure where !outcome.commandStarted:
            guard counts.notStarted <= RetryLimits.notStarted else { return .finish }
            return .retry(after: RetryLimits.delay(retry: counts.notStarted))
        case .infrastructure:
            guard isRerunSafe, counts.lostRunning <= RetryLimits.lostRunning else { return .finish }
            return .retry(after: RetryLimits.delay(retry: counts.lostRunning))
        }
    }
}
