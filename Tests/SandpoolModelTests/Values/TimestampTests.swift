import SandpoolModel
import Testing

@Suite struct TimestampTests {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"), (1_709_164_800_000, "2024-02-29T00:00:00.000Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"), (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
            (-2_208_988_800_000, "1900-01-01T00:00:00.000Z"), (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"), (1_769_851_800_125, "2026-01-31T09:30:00.125Z"),
        ] as [(Int64, String)])
    func goesThereAndBack(milliseconds: Int64, text: String) {
        #expect(Timestamp(milliseconds: milliseconds).description == text)
        #expect(Timestamp(text)?.milliseconds == milliseconds)
    }

    /// Every day of four centuries, at its first and last millisecond, against a calendar that only counts.
    @Test func everyDayOfAnEra() {
        var (year, month, day) = (1_800, 1, 1)
        guard let start = Timestamp("1800-01-01T00:00:00.000Z")?.milliseconds else {
            Issue.record("the first day does not parse")
            return
        }
        for offset in 0..<Int64(146_097) {
            let moment = Timestamp(milliseconds: start + offset * 86_400_000)
            let date = "\(year)-\(month < 10 ? "0" : "")\(month)-\(day < 10 ? "0" : "")\(day)"
            guard moment.description == "\(date)T00:00:00.000Z", Timestamp(moment.description) == moment else {
                Issue.record("\(date) became \(moment)")
                return
            }
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
            day += 1
            if day > lengths[month - 1] { (month, day) = (month + 1, 1) }
            if month > 12 { (year, month) = (year + 1, 1) }
        }
        #expect((year, month, day) == (2_200, 1, 1))
    }

    @Test(arguments: [
        "", "2026-01-31", "2026-01-31T09:30:00Z", "2026-01-31T09:30:00.125", "2026-01-31 09:30:00.125Z",
        "2026-02-29T00:00:00.000Z", "2100-02-29T00:00:00.000Z", "2026-13-01T00:00:00.000Z", "2026-00-01T00:00:00.000Z",
        "2026-01-00T00:00:00.000Z", "2026-04-31T00:00:00.000Z", "2026-01-31T24:00:00.000Z", "2026-01-31T09:60:00.000Z",
        "2026-01-31T09:30:60.000Z", "2026-01-31T09:30:00.125z", "2026-01-31T09:30:00+00:00", "-001-01-31T09:30:00.125Z",
        "2026-01-31T09:30:00.12\u{0}Z", "２026-01-31T09:30:00.1Z",
    ])
    func refuses(text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test func neverOverflows() {
        for moment in [Timestamp(milliseconds: .min), Timestamp(milliseconds: .max)] {
            #expect(moment.description.hasSuffix("Z"))
            #expect(moment.advanced(by: .seconds(Int64.max)).milliseconds == (moment.milliseconds < 0 ? -1 : .max))
            #expect(moment.since(moment) == .zero)
        }
        #expect(Timestamp(milliseconds: .max).since(Timestamp(milliseconds: .min)) == .milliseconds(Int64.max))
    }

    @Test func movesByDurations() {
        let start = Timestamp(milliseconds: 1_000)
        #expect(start.advanced(by: .milliseconds(1_500)).since(start) == .milliseconds(1_500))
        #expect(start.advanced(by: .microseconds(1_999)).milliseconds == 1_001)
        #expect(start.since(start.advanced(by: .seconds(5))) == .seconds(-5))
    }
}
