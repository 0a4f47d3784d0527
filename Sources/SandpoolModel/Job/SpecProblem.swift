/// What is wrong with a spec: where, what, and what to do about it, each in one line.
public struct SpecProblem: Error, Hashable, Sendable {
    /// A stable word for programs.
    public enum Code: String, Hashable, Sendable, CaseIterable {
        /// The value can never be right.
        case invalidSpec = "invalid_spec"
        /// A key that no spec has.
        case unknownKey = "unknown_key"
        /// More than this pool allows.
        case overLimit = "over_limit"
        /// Right, and not built yet.
        case unsupported
        /// Right, and nothing on this pool's host can hold a job to it.
        case unenforceable
    }

    public var code: Code
    /// The JSON key, such as `memoryBytes` or `mounts[2].path`.
    public var key: String
    /// What is wrong with it.
    public var message: String
    /// What to do.
    public var hint: String?

    public init(_ code: Code = .invalidSpec, at key: String, _ message: String, hint: String? = nil) {
        self.code = code
        self.key = key
        self.message = message
        self.hint = hint
    }

    /// The problem of a key that does not exist; `path` is the object that holds it.
    static func unknownKey(_ key: String, at path: String, known: [String]) -> SpecProblem {
        let shown = TerminalText.harmless(key, limit: 64)
        let hint =
            nearestWord(to: key, in: known).map { "did you mean \($0)?" }
            ?? "known keys: \(known.joined(separator: ", "))"
        return SpecProblem(
            .unknownKey, at: path.isEmpty ? shown : "\(path).\(shown)", "no such key", hint: hint)
    }
}

extension SpecProblem: CustomStringConvertible {
    /// One line: where, what, what to do.
    public var description: String { "\(key): \(message)" + (hint.map { "; \($0)" } ?? "") }
}
