/// The pauses between tries to reach a coordinator that went away: 50 ms, doubled up to 2 s, for five minutes
/// in all, which is longer than a coordinator's restart or its host's takes.
struct Backoff {
    private static let first = Duration.milliseconds(50)
    private static let longest = Duration.seconds(2)
    static let patience = Duration.seconds(300)

    private let patience: Duration
    private var next = Self.first
    private var deadline: ContinuousClock.Instant?

    init(patience: Duration = Self.patience) { self.patience = patience }

    /// Called when the coordinator answered.
    mutating func reset() { self = Backoff(patience: patience) }

    /// How long to wait before the next try; throws `error` when the patience is used up.
    mutating func delay(after error: SandpoolError) throws(SandpoolError) -> Duration {
        let now = ContinuousClock.now
        let end = deadline ?? now + patience
        deadline = end
        guard now < end else { throw error }
        return pause()
    }

    /// The next pause alone, for what ends by itself.
    mutating func pause() -> Duration {
        defer { next = min(next * 2, Self.longest) }
        return next
    }
}
