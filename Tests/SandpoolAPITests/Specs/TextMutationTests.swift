import SandpoolModel
import Testing

@Suite struct TextMutationTests {
    static let seeds = [
        "512MiB", "1.5GiB", "1h30m", "500ms", "SIGTERM", "192.0.2.0/24", "*.example.org", "mmdebstrap:bookworm",
        "docker.io/library/python:3.12@sha256:00", "/a/b/../c", "KEY=VALUE", "@last", "sb-01jd8zzzzzzzzzzzzzzzzzzzzz",
        "2026-01-31T09:30:00.125Z", "root", "\u{1B}[31m\u{202E}",
    ]

    /// Every parser of text takes every mutation of every text, and what it accepts is within its bounds.
    @Test(arguments: 0..<8 as Range<UInt64>) func noParserTraps(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        for _ in 0..<12_500 {
            let original = Self.seeds.randomElement(using: &generator) ?? ""
            let text = String(decoding: mutate(Array(original.utf8), using: &generator), as: UTF8.self)
            if let bytes = try? ByteSize.parse(text) { #expect(bytes >= 0) }
            if let duration = try? DurationText.parse(text) {
                #expect(duration >= .zero && duration <= DurationText.longest)
                #expect((try? DurationText.parse(DurationText.format(duration))) == duration)
            }
            if let signal = try? SignalName.parse(text) { #expect(SignalName.numbers.contains(signal)) }
            if let block = try? CIDRBlock(text) { #expect((try? CIDRBlock(block.description)) == block) }
            if let domain = try? DomainPattern(text) { #expect((try? DomainPattern(domain.description)) == domain) }
            if let path = try? SandboxPath.normalize(text) { #expect((try? SandboxPath.normalize(path)) == path) }
            if let moment = Timestamp(text) { #expect(moment.description == text) }
            _ = try? ImageReference(text)
            _ = try? Label(parsing: text)
            _ = try? JobReference(text)
            _ = try? UserName.check(text)
            #expect(TerminalText.harmless(text).unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F })
        }
    }
}
