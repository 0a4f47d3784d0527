import SandpoolModel
import Testing

@Suite struct TerminalTextTests {
    @Test(arguments: [
        ("plain", "plain"),
        ("日本 é 👩‍🚀".replacingZeroWidthJoiner, "日本 é 👩🚀"), ("\u{1B}[31mred", "\\u{1b}[31mred"),
        ("a\nb\tc\r", "a\\u{a}b\\u{9}c\\u{d}"), ("\u{7F}\u{9B}2J", "\\u{7f}\\u{9b}2J"), ("\u{0}", "\\u{0}"),
        ("a\u{202E}b", "a\\u{202e}b"), ("\u{2066}x\u{2069}", "\\u{2066}x\\u{2069}"), ("\u{200B}", "\\u{200b}"),
        ("\u{FEFF}", "\\u{feff}"), ("\u{2028}", "\\u{2028}"), ("\u{E0041}", "\\u{e0041}"), ("", ""),
    ])
    func escapes(text: String, harmless: String) {
        #expect(TerminalText.harmless(text) == harmless)
    }

    /// "\r\n" is one character in Swift; both of its scalars have to go.
    @Test func escapesEveryControlWhereverItStands() {
        for value in Array(0...0x9F as ClosedRange<UInt32>) + Array(0x2000...0x206F) {
            guard let scalar = Unicode.Scalar(value) else { continue }
            for text in ["\(scalar)", "a\(scalar)", "\r\(scalar)\n", "\(scalar)\u{301}"] {
                let shown = TerminalText.harmless(text).unicodeScalars
                #expect(!shown.contains { $0.properties.generalCategory == .control }, "U+\(value)")
                #expect(!shown.contains { $0.properties.isBidiControl }, "U+\(value)")
            }
        }
    }

    @Test func isBounded() {
        #expect(TerminalText.harmless(String(repeating: "x", count: 10_000), limit: 10) == "xxxxxxxxxx…")
        #expect(TerminalText.harmless("xxxxxxxxxx", limit: 10) == "xxxxxxxxxx")
        #expect(TerminalText.harmless("a" + String(repeating: "\u{301}", count: 1_000), limit: 3).utf8.count < 12)
        #expect(TerminalText.harmless("a", limit: 0) == "…")
    }
}

extension String {
    fileprivate var replacingZeroWidthJoiner: String {
        String(String.UnicodeScalarView(unicodeScalars.filter { $0.value != 0x200D }))
    }
}
