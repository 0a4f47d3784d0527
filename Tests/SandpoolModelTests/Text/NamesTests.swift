import SandpoolModel
import Testing

@Suite struct NamesTests {
    static let ulid = "01jd8zzzzzzzzzzzzzzzzzzzzz"

    @Test(arguments: ["a", "build-7", "Nightly.2026_01", "0", String(repeating: "n", count: 63)])
    func aNameIsPlain(text: String) throws {
        try ResourceName.check(text)
    }

    @Test(arguments: [
        "", "-a", ".a", "@last", "a b", "a/b", "ä", "a\n", "a\u{1B}[2J", "a\u{0}", String(repeating: "n", count: 64),
        ulid, "sb-" + ulid, ("sb-" + ulid).uppercased(),
    ])
    func aNameIsNothingElse(text: String) {
        #expect(throws: ValueProblem.self) { try ResourceName.check(text) }
    }

    @Test(arguments: ["A", "_", "npm_config.cache", "a-b", "日本"]) func aVariableHasAName(text: String) throws {
        try EnvironmentName.check(text)
    }

    @Test(arguments: ["", "A=B", "=", "A\u{0}", "A\nB", String(repeating: "A", count: 256)])
    func aVariableHasNoSuchName(text: String) {
        #expect(throws: ValueProblem.self) { try EnvironmentName.check(text) }
    }

    @Test(arguments: ["root", "www-data", "_apt", "0", "1000", "65535"]) func aUserIs(text: String) throws {
        try UserName.check(text)
    }

    @Test(arguments: ["", "65536", "-1", "1a", "a:b", "root ", "a/b", "+1", String(repeating: "a", count: 33)])
    func aUserIsNot(text: String) {
        #expect(throws: ValueProblem.self) { try UserName.check(text) }
    }

    @Test(arguments: [("K=V", "K", "V"), ("zone=", "zone", ""), ("a.b/c-d=x=y", "a.b/c-d", "x=y"), ("k=é", "k", "é")])
    func aLabelIsAPair(text: String, key: String, value: String) throws {
        let label = try Label(parsing: text)
        #expect(label.key == key && label.value == value)
    }

    @Test(arguments: [
        "", "K", "=V", "-k=v", "k k=v", "k=\u{1B}[0m", "k=\u{7F}", "k=a\nb", String(repeating: "k", count: 64) + "=v",
        "k=" + String(repeating: "v", count: 256),
    ])
    func aLabelIsNoOtherPair(text: String) {
        #expect(throws: ValueProblem.self) { try Label(parsing: text) }
    }
}
