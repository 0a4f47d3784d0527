import SandpoolModel

/// Which jobs to list.
public struct JobQuery: Hashable, Sendable {
    /// Empty means every state.
    public var states: Set<JobState>
    /// Every pair must match.
    public var tags: [String: String]
    /// 1…`StoreLimits.page`.
    public var limit: Int

    public init(states: Set<JobState> = [], tags: [String: String] = [:], limit: Int = 1_000) {
        self.states = states
        self.tags = tags
        self.limit = limit
    }
}

/// What a user's reference to a job names.
public enum Resolution: Hashable, Sendable {
    case found(JobID)
    case notFound
    /// The suffix of several ids, of which these are the newest; at most `StoreLimits.ambiguousMatches`.
    case ambiguous([JobID])

    package init(ofSuffixMatches matches: [JobID]) {
        self = matches.count > 1 ? .ambiguous(matches) : matches.first.map(Self.found) ?? .notFound
    }
}
