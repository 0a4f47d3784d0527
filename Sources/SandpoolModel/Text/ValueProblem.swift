/// Why a piece of text is not the value that it should be.
public struct ValueProblem: Error, Hashable, Sendable {
    /// What is wrong, with the text made harmless.
    public var message: String
    /// What is accepted.
    public var hint: String

    public init(_ message: String, hint: String) {
        self.message = message
        self.hint = hint
    }

    /// The problem that `text` is not `kind`, such as `a size`.
    init(_ text: String, isNot kind: String, hint: String) {
        self.init("'\(TerminalText.harmless(text, limit: 64))' is not \(kind)", hint: hint)
    }
}

extension ValueProblem: CustomStringConvertible {
    /// One line: what is wrong and what is accepted.
    public var description: String { "\(message); \(hint)" }
}
