extension Duration {
    /// The duration cut to whole milliseconds; at the ends of the range of 64 bits it stays there.
    public var wholeMilliseconds: Int64 {
        let (product, overflow) = components.seconds.multipliedReportingOverflow(by: 1_000)
        let (sum, carry) = product.addingReportingOverflow(components.attoseconds / 1_000_000_000_000_000)
        guard !overflow, !carry else { return self < .zero ? .min : .max }
        return sum
    }

    /// The duration in seconds, as specs hold it.
    public var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }

    /// A number of seconds from outside, which `Duration.seconds` would trap on when it is large or no number:
    /// NaN and what is negative become zero, what is longer than `DurationText.longest` becomes that.
    public static func bounded(seconds: Double) -> Duration {
        guard seconds > 0 else { return .zero }
        return .milliseconds(Int64((min(seconds, DurationText.longest.inSeconds) * 1_000).rounded()))
    }
}
