import Testing

/// What documents say of the source is there.
@Suite struct DocumentTests {
    /// `SuiteTests.test`, as Docs/security.md names where an attack is tried.
    @Test func everyTestThatIsNamedExists() throws {
        var tests: Set<String> = []
        for file in try SourceTree.files(below: "Tests") {
            let suite = file.path.split(separator: "/").last.map { $0.dropLast(".swift".count) } ?? ""
            for line in file.lines {
                guard let range = line.firstRange(of: "func ") else { continue }
                tests.insert("\(suite).\(line[range.upperBound...].prefix { $0.isLetter || $0.isNumber })")
            }
        }
        var named = 0
        for file in try SourceTree.files(below: "Docs", endings: ["md"]) {
            for match in file.lines.joined(separator: "\n").matches(of: #/`([A-Za-z]+Tests\.[a-zA-Z0-9]+)`/#) {
                named += 1
                #expect(tests.contains(String(match.1)), "\(file.path) names \(match.1)")
            }
        }
        #expect(named > 0)
    }
}
