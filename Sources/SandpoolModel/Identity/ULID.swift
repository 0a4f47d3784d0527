/// A Universally Unique Lexicographically Sortable Identifier: 48 bits of milliseconds since the Unix
/// epoch followed by 80 random bits, written as 26 lower-case Crockford base-32 digits.
///
/// Specification: <https://github.com/ulid/spec>. Lower case is used because ids appear in host names,
/// interface names and file names.
public struct ULID: Hashable, Sendable {
    /// The 26 digits.
    public let text: String

    private static let digits = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)
    /// Number of digits in the text form.
    public static let length = 26

    /// Makes an identifier for a moment, drawing its random part from `generator`.
    ///
    /// - Parameter milliseconds: milliseconds since the Unix epoch; only the low 48 bits are kept.
    public init(milliseconds: UInt64, using generator: inout some RandomNumberGenerator) {
        var high = generator.next() & 0xFF_FFFF_FFFF
        var low = generator.next() & 0xFF_FFFF_FFFF
        var time = milliseconds & 0xFFFF_FFFF_FFFF
        var bytes = [UInt8](repeating: 0, count: Self.length)
        for index in stride(from: 25, through: 18, by: -1) {
            bytes[index] = Self.digits[Int(low & 31)]
            low >>= 5
        }
        for index in stride(from: 17, through: 10, by: -1) {
            bytes[index] = Self.digits[Int(high & 31)]
            high >>= 5
        }
        for index in stride(from: 9, through: 0, by: -1) {
            bytes[index] = Self.digits[Int(time & 31)]
            time >>= 5
        }
        text = String(decoding: bytes, as: UTF8.self)
    }

    /// Milliseconds since the Unix epoch at which it was made.
    public var milliseconds: Int64 {
        text.utf8.prefix(10).reduce(0) { $0 << 5 | Int64(Self.digits.firstIndex(of: $1) ?? 0) }
    }

    /// Whether `text` has only digits of an identifier.
    static func isDigits(_ text: some StringProtocol) -> Bool { text.utf8.allSatisfy(digits.contains) }

    /// Parses the 26-digit text form; `nil` for anything else, upper case included.
    public init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard bytes.count == Self.length, bytes.allSatisfy(Self.digits.contains) else { return nil }
        // 26 digits carry 130 bits, so the first digit of a 128-bit value is at most 7.
        guard bytes[0] <= UInt8(ascii: "7") else { return nil }
        self.text = String(decoding: bytes, as: UTF8.self)
    }
}
