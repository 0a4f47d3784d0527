/// Waits between tries to reconnect: none before the first, then doubling from 100 ms to 10 s, each cut by a
/// random part so that a pool's workers do not come back all at once.
struct Backoff: Sendable {
    var first = Duration.milliseconds(100)
    var longest = Duration.seconds(10)
    private(set) var losses = 0

    /// A connection was made.
    mutating func reset() { losses = 0 }

    mutating func next() -> Duration {
        var generator = SystemRandomNumberGenerator()
        return next(using: &generator)
    }

    mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
        defer { losses += 1 }
        guard losses > 0 else { return .zero }
        let whole = min(longest, first * (1 << min(losses - 1, 20)))
        return whole * Double.random(in: 0.5...1, using: &generator)
    }
}
