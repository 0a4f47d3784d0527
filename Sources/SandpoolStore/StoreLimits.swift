/// Bounds on what one call may carry.
public enum StoreLimits {
    /// Most elements of an array argument, and most jobs that `advanceQueue` ends at once.
    public static let batch = 10_000
    /// Most jobs in one page of `jobs` or `claimable`.
    public static let page = 10_000
    /// Most bytes of each stream that ride inside a result.
    public static let inlineOutputBytes = 32 << 10
    /// What is kept of an outcome's message.
    public static let messageCharacters = 4_096
    /// Most bytes of one result's evidence, as JSON.
    public static let evidenceBytes = 64 << 10
    /// Most writes that wait for a commit; one more is `StoreError.overloaded`.
    public static let queuedWrites = 4_096
    /// Most ids that an ambiguous reference names.
    public static let ambiguousMatches = 8
}
