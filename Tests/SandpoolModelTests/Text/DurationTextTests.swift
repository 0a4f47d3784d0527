import SandpoolModel
import Testing

@Suite struct DurationTextTests {
    @Test(
        arguments: [
            ("90", 90_000), ("1.5", 1_500), ("0", 0), ("10m", 600_000), ("1h30m", 5_400_000), ("500ms", 500),
            ("2d", 172_800_000), ("1.5h", 5_400_000), ("1d2h3m4s5ms", 93_784_005), ("0.001", 1), ("1S", 1_000),
            ("1m30.5s", 90_500), ("36500d", 3_153_600_000_000),
        ] as [(String, Int64)])
    func parses(text: String, milliseconds: Int64) throws {
        #expect(try DurationText.parse(text) == .milliseconds(milliseconds))
    }

    @Test(arguments: [
        "", "s", "-1", "+1", "1 s", "1x", "30m1h", "1m1m", "1h30", "5ms1s", "0.0001", "0.5ms", "36501d", "1.s", ".5",
        "9223372036854775807", "9223372036854775807d", "99999999999999999999", "1e3", "nan", "inf", "１s", "1s\u{0}",
        String(repeating: "1s", count: 1_000),
    ])
    func refusesInOneLine(text: String) {
        let problem = #expect(throws: ValueProblem.self) { try DurationText.parse(text) }
        let line = problem?.description ?? ""
        #expect(!line.contains("\n") && line.utf8.count < 300)
    }

    @Test(
        arguments: [
            (0, "0s"), (1, "1ms"), (999, "999ms"), (1_000, "1s"), (1_500, "1.5s"), (90_000, "1m30s"),
            (90_050, "1m30.05s"), (600_000, "10m"), (5_400_000, "1h30m"), (86_400_000, "1d"), (86_400_001, "1d0.001s"),
            (-1_500, "-1.5s"),
        ] as [(Int64, String)])
    func formatsSoThatItReadsBack(milliseconds: Int64, text: String) throws {
        #expect(DurationText.format(.milliseconds(milliseconds)) == text)
        if milliseconds >= 0 { #expect(try DurationText.parse(text) == .milliseconds(milliseconds)) }
    }

    @Test(arguments: [Double.nan, -Double.infinity, -1, 0, -0.0, 1e-300]) func whatIsNoTimeIsZero(seconds: Double) {
        #expect(Duration.bounded(seconds: seconds) == .zero)
    }

    @Test(arguments: [Double.infinity, 1e300, .greatestFiniteMagnitude]) func whatIsEndlessIsCut(seconds: Double) {
        #expect(Duration.bounded(seconds: seconds) == DurationText.longest)
    }

    @Test func secondsComeAndGo() {
        #expect(Duration.bounded(seconds: 1.5) == .milliseconds(1_500))
        #expect(Duration.milliseconds(1_500).inSeconds == 1.5)
        #expect(Duration.seconds(Int64.max).wholeMilliseconds == .max)
        #expect(Duration.seconds(Int64.min).wholeMilliseconds == .min)
    }
}
