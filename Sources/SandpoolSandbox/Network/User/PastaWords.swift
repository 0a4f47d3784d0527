/// What pasta says on its standard error until it works or ends.
struct PastaWords {
    enum Verdict: Equatable {
        case working
        case ended(because: String)
    }

    static let limit = 4_096
    private var text: [UInt8] = []

    /// - Parameter bytes: the next ones; empty at the end.
    mutating func take(_ bytes: some Collection<UInt8>) -> Verdict? {
        text += bytes.prefix(Self.limit - text.count)
        let lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        // Its number is a line of its own, and whole.
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        if lines.dropLast().contains(where: { !$0.isEmpty && $0.allSatisfy(digits.contains) }) { return .working }
        guard bytes.isEmpty || text.count == Self.limit else { return nil }
        // It complains of a host without syslog, too.
        let said = lines.map { String(decoding: $0, as: UTF8.self) }
            .filter { !$0.isEmpty && !$0.hasPrefix("Failed to send") }.prefix(2)
        return .ended(because: said.isEmpty ? "it ended without a word" : Self.plain(said.joined(separator: "; ")))
    }

    /// On one line and short.
    private static func plain(_ text: String) -> String {
        String(text.unicodeScalars.prefix(200).map { $0.value < 32 || $0.value > 126 ? "?" : Character($0) })
    }
}
