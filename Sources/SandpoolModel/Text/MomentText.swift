/// Moments as people name them: so long ago, such as `10m`, or as RFC 3339 has them, such as `2026-01-31T09:30:00Z`.
public enum MomentText {
    private static let hint = "write how long ago, such as 10m, or a moment such as 2026-01-31T09:30:00Z"

    public static func parse(_ text: String, now: Timestamp) throws(ValueProblem) -> Timestamp {
        guard text.contains("-") || text.contains(":") else {
            do { return now.advanced(by: .zero - (try DurationText.parse(text))) } catch {
                throw ValueProblem(text, isNot: "a moment", hint: hint)
            }
        }
        guard let moment = rfc3339(text) else { throw ValueProblem(text, isNot: "a moment", hint: hint) }
        return moment
    }

    /// RFC 3339, section 5.6, to whole milliseconds: with `Z` or an offset, with or without a fraction.
    private static func rfc3339(_ text: String) -> Timestamp? {
        guard (20...64).contains(text.utf8.count), text.utf8.allSatisfy({ $0 < 0x80 }) else { return nil }
        var rest = text.uppercased()[...]
        let whole = rest.prefix(19)
        rest = rest.dropFirst(19)
        var fraction = "000"
        if rest.first == "." {
            let digits = rest.dropFirst().prefix { $0.isNumber }
            guard !digits.isEmpty else { return nil }
            rest = rest.dropFirst(1 + digits.count)
            fraction = String((digits + "00").prefix(3))
        }
        guard let ahead = offset(rest), let moment = Timestamp("\(whole).\(fraction)Z") else { return nil }
        return moment.advanced(by: .zero - ahead)
    }

    /// How far a local time is ahead of UTC: `Z`, `+02:00`, `-07:30`.
    private static func offset(_ text: Substring) -> Duration? {
        if text == "Z" { return .zero }
        let parts = text.dropFirst().split(separator: ":", omittingEmptySubsequences: false)
        guard let sign = text.first, "+-".contains(sign), parts.count == 2, parts.allSatisfy({ $0.count == 2 }),
            let hours = Int(parts[0]), let minutes = Int(parts[1]), (0...23).contains(hours), (0...59).contains(minutes)
        else { return nil }
        let ahead = Duration.seconds((hours * 60 + minutes) * 60)
        return sign == "+" ? ahead : .zero - ahead
    }
}
