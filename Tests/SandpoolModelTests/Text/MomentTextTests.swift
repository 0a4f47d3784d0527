import SandpoolModel
import Testing

@Suite struct MomentTextTests {
    private static let now = Timestamp(milliseconds: 1_800_000_000_000)

    @Test(
        arguments: [
            ("10m", 1_799_999_400_000), ("0", 1_800_000_000_000), ("1.5s", 1_799_999_998_500),
            ("2027-01-15T08:00:00Z", 1_800_000_000_000), ("2027-01-15t08:00:00z", 1_800_000_000_000),
            ("2027-01-15T08:00:00.5Z", 1_800_000_000_500), ("2027-01-15T08:00:00.123456Z", 1_800_000_000_123),
            ("2027-01-15T10:00:00+02:00", 1_800_000_000_000), ("2027-01-15T00:30:00-07:30", 1_800_000_000_000),
        ] as [(String, Int64)])
    func parses(text: String, milliseconds: Int64) throws {
        #expect(try MomentText.parse(text, now: Self.now) == Timestamp(milliseconds: milliseconds))
    }

    @Test(arguments: [
        "", "yesterday", "-10m", "2027-01-15", "2027-01-15T08:00:00", "2027-01-15 08:00:00Z", "2027-02-30T08:00:00Z",
        "2027-01-15T25:00:00Z", "2027-01-15T08:00:00.Z", "2027-01-15T08:00:00+2:00", "2027-01-15T08:00:00+24:00",
        "2027-01-15T08:00:00+02:00:00", "2027-01-15T08:00:00Zulu", "２027-01-15T08:00:00Z",
        String(repeating: "2027-01-15T08:00:00Z", count: 1_000),
    ])
    func refusesInOneLine(text: String) {
        let problem = #expect(throws: ValueProblem.self) { try MomentText.parse(text, now: Self.now) }
        let line = problem?.description ?? ""
        #expect(line.contains("RFC 3339") || line.contains("10m"))
        #expect(!line.contains("\n") && line.utf8.count < 300)
    }
}
