/// A pair `KEY=VALUE`: a job's tag, a worker's label, or the label that a job requires.
public struct Label: Hashable, Sendable {
    public let key: String
    public let value: String

    /// Bounds in bytes.
    public static let longestKey = 63
    public static let longestValue = 255

    /// - Throws: for a key that is not 1 to 63 letters, digits, `.`, `_`, `/` and `-` beginning with a letter or
    ///   digit, and for a value of more than 255 bytes or with control characters. An empty value is one.
    public init(key: String, value: String) throws(ValueProblem) {
        let bytes = key.utf8
        guard (1...Self.longestKey).contains(bytes.count), bytes.first?.isASCIIAlphanumeric == true,
            bytes.allSatisfy({ $0.isASCIIAlphanumeric || $0.isOne(of: "._/-") })
        else {
            throw ValueProblem(
                key, isNot: "a label's key",
                hint: "use 1 to \(Self.longestKey) letters, digits, '.', '_', '/' and '-'")
        }
        guard value.utf8.count <= Self.longestValue, !value.utf8.contains(where: \.isASCIIControl) else {
            throw ValueProblem(
                value, isNot: "a label's value",
                hint: "use at most \(Self.longestValue) bytes without control characters")
        }
        self.key = key
        self.value = value
    }

    /// Parses `KEY=VALUE`; the value may hold further `=`.
    public init(parsing text: String) throws(ValueProblem) {
        guard let equals = text.firstIndex(of: "=") else {
            throw ValueProblem(text, isNot: "a pair", hint: "write KEY=VALUE")
        }
        try self.init(key: String(text[..<equals]), value: String(text[text.index(after: equals)...]))
    }
}
