/// Sizes as people write them: `512MiB`, `512Mi`, `512m`, `1.5GiB`, `1000B`, `1000`.
///
/// Every unit is a power of 1,024. `MB` is refused: it stands for 10⁶ in some programs and for 2²⁰ in others,
/// and a limit must not depend on which one its user had in mind.
public enum ByteSize {
    private static let units: [(letter: String, bytes: Int64)] = [
        ("k", 1 << 10), ("m", 1 << 20), ("g", 1 << 30), ("t", 1 << 40),
    ]

    private static let hint = "write a number of bytes, or one with KiB, MiB, GiB or TiB, such as 512MiB or 1.5GiB"

    /// - Returns: bytes; a fraction of a byte is cut off.
    public static func parse(_ text: String) throws(ValueProblem) -> Int64 {
        var rest = text[...]
        guard text.utf8.count <= 32, let number = DecimalNumber.take(from: &rest) else {
            throw ValueProblem(text, isNot: "a size", hint: hint)
        }
        // Other scripts have letters that fold to these, such as the Kelvin sign.
        guard rest.utf8.allSatisfy({ $0 < 0x80 }) else { throw ValueProblem(text, isNot: "a size", hint: hint) }
        let suffix = rest.lowercased()
        let bytes: Int64
        if suffix.isEmpty || suffix == "b" {
            guard number.millionths == 0 else { throw ValueProblem(text, isNot: "a whole number of bytes", hint: hint) }
            bytes = 1
        } else {
            let unit = units.first { [$0.letter, $0.letter + "i", $0.letter + "ib"].contains(suffix) }
            guard let unit else { throw ValueProblem(text, isNot: "a size", hint: hint) }
            bytes = unit.bytes
        }
        guard let (value, _) = number.times(bytes) else {
            throw ValueProblem(text, isNot: "a size below 8388608TiB", hint: hint)
        }
        return value
    }

    /// The exact size in the largest unit that divides it: `1GiB`, `1536MiB`, `1000B`.
    public static func format(_ bytes: Int64) -> String {
        let unit = units.last { bytes != 0 && bytes % $0.bytes == 0 }
        guard let unit else { return "\(bytes)B" }
        return "\(bytes / unit.bytes)\(unit.letter.uppercased())iB"
    }
}
