import SandpoolModel
import SandpoolTestSupport
import Testing

@Suite struct TextMutationTests {
    static let seeds = [
        "512MiB", "1.5GiB", "1h30m", "500ms", "SIGTERM", "192.0.2.0/24", "*.example.org", "mmdebstrap:bookworm",
        "docker.io/library/python:3.12@sha256:00", "/a/b/../c", "KEY=VALUE", "@last", "sb-01jd8zzzzzzzzzzzzzzzzzzzzz",
        "2026-01-31T09:30:00.125Z", "root", "\u{1B}[31m\u{202E}",
    ]

    /// Every parser of text takes every mutation of every text, and what it accepts is within its bounds.
    @Test(arguments: 0..<5 as Range<UInt64>) func noParserTraps(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        for _ in 0..<1_000 {
            let original = Self.seeds.randomElement(using: &generator) ?? ""
            let text = String(decoding: mutate(Array(original.utf8), using: &generator), as: UTF8.self)
            if let wrong = Self.parserThatWentWrong(on: text) {
                Issue.record("\(wrong) went wrong on \(text.debugDescription), seed \(seed)")
                return
            }
        }
    }

    /// The first parser whose result is out of its bounds or does not read back; a plain function, because thousands
    /// of rounds of `#expect` take minutes.
    static func parserThatWentWrong(on text: String) -> String? {
        if let bytes = try? ByteSize.parse(text), bytes < 0 { return "ByteSize" }
        if let duration = try? DurationText.parse(text) {
            guard duration >= .zero, duration <= DurationText.longest,
                (try? DurationText.parse(DurationText.format(duration))) == duration
            else { return "DurationText" }
        }
        if let signal = try? SignalName.parse(text), !SignalName.numbers.contains(signal) { return "SignalName" }
        if let block = try? CIDRBlock(text), (try? CIDRBlock(block.description)) != block { return "CIDRBlock" }
        if let name = try? DomainPattern(text), (try? DomainPattern(name.description)) != name {
            return "DomainPattern"
        }
        if let path = try? SandboxPath.normalize(text), (try? SandboxPath.normalize(path)) != path {
            return "SandboxPath"
        }
        if let moment = Timestamp(text), moment.description != text { return "Timestamp" }
        _ = try? ImageReference(text)
        _ = try? Label(parsing: text)
        _ = try? JobReference(text)
        _ = try? UserName.check(text)
        let shown = TerminalText.harmless(text).unicodeScalars
        return shown.contains { $0.value < 0x20 || $0.value == 0x7F } ? "TerminalText" : nil
    }
}
