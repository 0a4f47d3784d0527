import SandpoolModel

/// One thing in lines of `key: value`; what is not known has no line. Values are made harmless.
struct FieldLines {
    private var lines: [String] = []

    mutating func add(_ key: String, _ value: String?) {
        guard let value, !value.isEmpty else { return }
        let label = "\(key):"
        let space = String(repeating: " ", count: max(1, 11 - label.count))
        lines.append(label + space + TerminalText.harmless(value))
    }

    var text: String { lines.joined(separator: "\n") }
}
