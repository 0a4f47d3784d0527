/// Durations as people write them: `90` and `1.5` (seconds), `500ms`, `10m`, `1h30m`, `2d`.
public enum DurationText {
    /// Largest first, which is also the order in which they have to be written.
    private static let units: [(name: String, milliseconds: Int64)] = [
        ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1),
    ]

    /// Bound on a duration: a hundred years, so that adding one to a moment cannot overflow.
    public static let longest: Duration = .seconds(100 * 365 * 86_400)

    private static let hint = "write seconds, or numbers with d, h, m, s or ms, such as 90, 1.5s, 10m or 1h30m"

    /// - Returns: a duration of whole milliseconds, 0 to `longest`.
    public static func parse(_ text: String) throws(ValueProblem) -> Duration {
        let problem = ValueProblem(text, isNot: "a duration", hint: hint)
        var rest = text[...]
        var open = units[...]
        var total: Int64 = 0
        guard (1...64).contains(text.utf8.count) else { throw problem }
        repeat {
            guard let number = DecimalNumber.take(from: &rest) else { throw problem }
            var name = rest.prefix { $0.isASCII && $0.isLetter }.lowercased()
            rest = rest.dropFirst(name.count)
            if name.isEmpty, rest.isEmpty, open.count == units.count { name = "s" }
            guard let index = open.firstIndex(where: { $0.name == name }) else { throw problem }
            guard let (part, isExact) = number.times(units[index].milliseconds) else { throw problem }
            guard isExact else { throw ValueProblem(text, isNot: "a duration of whole milliseconds", hint: hint) }
            let (sum, overflow) = total.addingReportingOverflow(part)
            guard !overflow, sum <= longest.wholeMilliseconds else {
                throw ValueProblem(text, isNot: "a duration below 100 years", hint: hint)
            }
            total = sum
            open = units[(index + 1)...]
        } while !rest.isEmpty
        return .milliseconds(total)
    }

    /// The duration cut to milliseconds, exact and short: `1h30m`, `1m30.5s`, `500ms`, `0s`.
    public static func format(_ duration: Duration) -> String {
        var rest = duration.wholeMilliseconds.magnitude
        guard rest > 0 else { return "0s" }
        var text = duration < .zero ? "-" : ""
        if rest < 1_000 { return text + "\(rest)ms" }
        for unit in units.prefix(3) where rest >= unit.milliseconds.magnitude {
            text += "\(rest / unit.milliseconds.magnitude)\(unit.name)"
            rest %= unit.milliseconds.magnitude
        }
        guard rest > 0 else { return text }
        var fraction = String(String(rest % 1_000 + 1_000).dropFirst())
        while fraction.hasSuffix("0") { fraction.removeLast() }
        return text + "\(rest / 1_000)" + (fraction.isEmpty ? "" : ".\(fraction)") + "s"
    }
}
