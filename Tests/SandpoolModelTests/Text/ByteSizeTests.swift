import SandpoolModel
import Testing

@Suite struct ByteSizeTests {
    @Test(
        arguments: [
            ("512MiB", 512 << 20), ("512Mi", 512 << 20), ("512m", 512 << 20), ("512M", 512 << 20), ("2GiB", 2 << 30),
            ("2g", 2 << 30), ("1.5GiB", 3 << 29), ("0", 0), ("1000", 1_000), ("1000B", 1_000), ("1000b", 1_000),
            ("1k", 1_024), ("1TiB", 1 << 40), ("0.5k", 512), ("1.1k", 1_126), ("9223372036854775807", Int64.max),
            ("8388607TiB", 8_388_607 << 40), ("0.000001TiB", 1_099_511),
        ] as [(String, Int64)])
    func parses(text: String, bytes: Int64) throws {
        #expect(try ByteSize.parse(text) == bytes)
    }

    @Test(arguments: [
        "", " ", "MiB", "-1", "+1", "1 MiB", " 1", "1.", ".5g", "1..5g", "1.5", "1.5B", "1e3", "0x10", "1MB", "1GB",
        "1PiB", "1MiBB", "1Mib/s", "9223372036854775808", "8388608TiB", "8388607.9999999TiB", "١GiB", "½g", "1\u{0}g",
        "1,5g", "NaN", "inf", String(repeating: "9", count: 33), String(repeating: "0", count: 1 << 16),
    ])
    func refusesInOneLine(text: String) {
        let problem = #expect(throws: ValueProblem.self) { try ByteSize.parse(text) }
        let line = problem?.description ?? ""
        #expect(!line.contains("\n") && line.utf8.count < 300)
    }

    @Test(
        arguments: [
            (0, "0B"), (1, "1B"), (1_000, "1000B"), (1_024, "1KiB"), (1_536, "1536B"), (1 << 30, "1GiB"),
            (1_536 << 20, "1536MiB"), (1 << 40, "1TiB"), (1 << 50, "1024TiB"), (-1_024, "-1KiB"),
            (.max, "9223372036854775807B"), (.min, "-8388608TiB"),
        ] as [(Int64, String)])
    func formats(bytes: Int64, text: String) throws {
        #expect(ByteSize.format(bytes) == text)
        if bytes >= 0 { #expect(try ByteSize.parse(text) == bytes) }
    }
}
