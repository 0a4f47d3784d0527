import SandpoolModel
import Testing

@Suite struct IdentityTests {
    /// Gives the same number for ever.
    struct Constant: RandomNumberGenerator {
        var value: UInt64
        mutating func next() -> UInt64 { value }
    }

    @Test(
        arguments: [
            (0, 0, "00000000000000000000000000"), (.max, .max, "7zzzzzzzzzzzzzzzzzzzzzzzzz"),
            (1 << 47, 0, "40000000000000000000000000"), (1, 1, "00000000010000000100000001"),
        ] as [(UInt64, UInt64, String)])
    func writesAnIdentifier(milliseconds: UInt64, random: UInt64, text: String) {
        var generator = Constant(value: random)
        #expect(ULID(milliseconds: milliseconds, using: &generator).text == text)
        #expect(ULID(text)?.text == text)
    }

    @Test func sortsByTime() {
        var generator = SystemRandomNumberGenerator()
        let ids = (0..<1_000 as Range<UInt64>).map { JobID(milliseconds: $0 << 30, using: &generator) }
        #expect(ids == ids.sorted() && Set(ids).count == ids.count)
    }

    @Test(arguments: [
        "", "sb", "sb-", "sb-01jd8", "wk-01jd8zzzzzzzzzzzzzzzzzzzzz", "sb-81jd8zzzzzzzzzzzzzzzzzzzzz",
        "sb-01jd8zzzzzzzzzzzzzzzzzzzzi", "sb-01JD8ZZZZZZZZZZZZZZZZZZZZZ", "sb-01jd8zzzzzzzzzzzzzzzzzzzzzz",
        "sb-01jd8zzzzzzzzzzzzzzzzzzzz\u{0}", "sb-../../../../../../../../../",
    ])
    func refusesWhatIsNoJobID(text: String) {
        #expect(JobID(text) == nil)
    }

    @Test func aShortIDIsAHostName() {
        let id = JobID.make(at: Timestamp(milliseconds: 1_700_000_000_000))
        #expect(id.short.utf8.count == 8 && id.text.hasSuffix(id.short) && isIdentifierText(id.short))
    }

    @Test(arguments: ["a", "sb-01", String(repeating: "a", count: 64)]) func isIdentifier(text: String) {
        #expect(isIdentifierText(text))
    }

    @Test(arguments: ["", "A", "a/b", "..", "a\u{0}", "ä", String(repeating: "a", count: 65)])
    func isNoIdentifier(text: String) {
        #expect(!isIdentifierText(text))
    }

    @Test(arguments: ["sha256:" + String(repeating: "0a", count: 32)]) func isDigest(text: String) {
        #expect(BlobDigest.isWellFormed(text))
    }

    @Test(arguments: [
        "", "sha256:", "sha256:" + String(repeating: "0A", count: 32), "sha256:" + String(repeating: "0a", count: 31),
        "sha512:" + String(repeating: "0a", count: 32), "sha256:../" + String(repeating: "a", count: 61),
        "sha256:" + String(repeating: "0a", count: 32) + "\n",
    ])
    func isNoDigest(text: String) {
        #expect(!BlobDigest.isWellFormed(text))
    }
}

@Suite struct ReferenceTests {
    static let id = "sb-01jd8zzzzzzzzzzzzzzzzzzzzz"

    @Test func readsEachForm() throws {
        #expect(try JobReference("@last") == .last)
        #expect(try JobReference(Self.id) == .id(#require(JobID(Self.id))))
        #expect(try JobReference(Self.id.uppercased()) == .id(#require(JobID(Self.id))))
        #expect(try JobReference("zzzz") == .named("zzzz", suffix: "zzzz"))
        #expect(try JobReference("ZZZ0") == .named("ZZZ0", suffix: "zzz0"))
        #expect(try JobReference("nightly") == .named("nightly", suffix: nil), "i and l are no digits")
        #expect(try JobReference("zzz") == .named("zzz", suffix: nil), "too short for a suffix")
        #expect(try JobReference("a-b.c") == .named("a-b.c", suffix: nil))
    }

    @Test(arguments: [
        "", "@", "@first", "@last ", "wk-01jd8zzzzzzzzzzzzzzzzzzzzz", "sb-01jd8zzzzzzzzzzzzzzzzzzzzi/..", "../x", "a/b",
        "%2e", "a?b", "a\u{1B}", "a\u{0}", String(repeating: "z", count: 64),
    ])
    func refuses(text: String) {
        #expect(throws: ValueProblem.self) { try JobReference(text) }
    }
}
