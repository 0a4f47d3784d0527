extension JobState {
    /// The state of a job: a function of its spec's retry policy and its attempts.
    ///
    /// - Parameters:
    ///   - attempts: every attempt, oldest first.
    ///   - ending: how the job ended while no attempt was under way, such as `cancelled` or `queueTimeout`.
    public init(spec: JobSpec, attempts: [Attempt], ending: Outcome? = nil) {
        if let ending {
            self = ending.jobState
            return
        }
        guard let latest = attempts.last else {
            self = .queued
            return
        }
        switch latest.state {
        case .leased, .preparing, .building: self = .starting
        case .running: self = .running
        // The attempt that takes its place is not made yet.
        case .superseded: self = .queued
        case .finished, .lost: self = Self.ended(spec: spec, attempts: attempts)
        }
    }

    /// The state after the latest attempt ended. One without an outcome was given back unstarted.
    private static func ended(spec: JobSpec, attempts: [Attempt]) -> JobState {
        guard let outcome = attempts.last?.outcome else { return .queued }
        // What a superseded attempt reports late is kept aside: it counted when it was replaced.
        let counts = RetryCounts(counting: attempts.compactMap(\.countedOutcome))
        switch spec.decideRetry(after: outcome, counts: counts) {
        case .retry: return .queued
        case .finish: return outcome.jobState
        }
    }
}

extension Attempt {
    /// What the attempt adds to its job's retry counts. A superseded one ran on a worker that fell silent.
    fileprivate var countedOutcome: Outcome? {
        state == .superseded ? Outcome(cause: .workerLost, commandStarted: startedAt != nil) : outcome
    }
}
