/// How often a job has been tried, by the reason that a try counts.
public struct RetryCounts: Hashable, Sendable, Codable {
    /// Attempts that Sandpool failed before their command was exec'd.
    public var notStarted = 0
    /// Attempts that ran and were lost, for whatever reason.
    public var lostRunning = 0
    /// Those of `lostRunning` that went down together with their worker.
    public var workersLost = 0
    /// Attempts that ended by the user's own failure.
    public var userFailures = 0

    public init() {}

    /// Counts the ends of attempts.
    public init(counting outcomes: some Sequence<Outcome>) {
        for outcome in outcomes { count(outcome) }
    }

    /// Counts the end of one more attempt.
    public mutating func count(_ outcome: Outcome) {
        switch outcome.cause.fault {
        case .user: userFailures += outcome.jobState == .succeeded ? 0 : 1
        case .infrastructure where !outcome.commandStarted: notStarted += 1
        case .infrastructure:
            lostRunning += 1
            workersLost += outcome.cause == .workerLost ? 1 : 0
        }
    }

    /// Whether so many workers were lost while they ran the job that the job is taken for the reason.
    public var isPoison: Bool { workersLost >= RetryLimits.poison }
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
    /// Tries after the first for attempts that ran, were lost, and may be rerun.
    public static let lostRunning = 2
    /// Workers lost while they ran the job at which it is stopped, whatever tries are left.
    public static let poison = 2
    /// Wait before the n-th retry: 1 s, 2 s, 4 s … at most `longestDelay`.
    public static func delay(retry: Int) -> Duration {
        min(longestDelay, .seconds(1 << (min(max(retry, 1), 6) - 1)))
    }
    /// What lies further ahead than this was put there before the wall clock was set back.
    public static let longestDelay = Duration.seconds(30)
}

extension JobSpec {
    /// Decides whether a job is tried again after an attempt ended with `outcome`.
    ///
    /// - Parameter counts: the attempts so far, the one that just ended included.
    public func decideRetry(after outcome: Outcome, counts: RetryCounts) -> RetryDecision {
        switch outcome.cause.fault {
        case .user:
            guard outcome.jobState == .failed, outcome.isRetryable, counts.userFailures <= retries else {
                return .finish
            }
            return .retry(after: RetryLimits.delay(retry: counts.userFailures))
        case .infrastructure where !outcome.isRetryable:
            return .finish
        case .infrastructure where !outcome.commandStarted:
            guard counts.notStarted <= RetryLimits.notStarted else { return .finish }
            return .retry(after: RetryLimits.delay(retry: counts.notStarted))
        case .infrastructure:
            guard isRerunSafe, !counts.isPoison, counts.lostRunning <= RetryLimits.lostRunning else {
                return .finish
            }
            return .retry(after: RetryLimits.delay(retry: counts.lostRunning))
        }
    }
}
