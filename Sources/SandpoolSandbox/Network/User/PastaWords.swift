/// What pasta says on its standard error until it works or ends.
struct PastaWords {
    enum Verdict: Equatable {
        case working
        case ended(because: String)
    }

    static let limit = 4_096
    private var taken = 0
    /// The line that has not ended.
    private var line: [UInt8] = []
    /// The first lines that say something.
    private var said: [String] = []
    private static let saidLines = 2

    /// - Parameter bytes: the next ones; empty at the end.
    mutating func take(_ bytes: some Collection<UInt8>) -> Verdict? {
        for byte in bytes.prefix(Self.limit - taken) {
            taken += 1
            guard byte == UInt8(ascii: "\n") else {
                line.append(byte)
                continue
            }
            if isNumber { return .working }
            endLine()
        }
        guard bytes.isEmpty || taken == Self.limit else { return nil }
        endLine()
        return .ended(because: said.isEmpty ? "it ended without a word" : Self.plain(said.joined(separator: "; ")))
    }

    /// Its number is a line of its own, and whole.
    private var isNumber: Bool {
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        return !line.isEmpty && line.allSatisfy(digits.contains)
    }

    private mutating func endLine() {
        defer { line.removeAll(keepingCapacity: true) }
        guard !line.isEmpty, said.count < Self.saidLines else { return }
        let text = String(decoding: line, as: UTF8.self)
        // It complains of a host without syslog, too.
        if !text.hasPrefix("Failed to send") { said.append(text) }
    }

    /// On one line and short.
    private static func plain(_ text: String) -> String {
        String(text.unicodeScalars.prefix(200).map { $0.value < 32 || $0.value > 126 ? "?" : Character($0) })
    }
}
