import SandpoolModel
import Testing

@Suite struct ImageReferenceTests {
    static let id = "im-01jd8zzzzzzzzzzzzzzzzzzzzz"

    @Test func readsEachKind() throws {
        #expect(try ImageReference("host") == .host)
        #expect(try ImageReference("scratch") == .scratch)
        #expect(try ImageReference("mmdebstrap:bookworm") == .mmdebstrap(suite: "bookworm"))
        #expect(try ImageReference(Self.id) == .image(#require(ImageID(Self.id))))
    }

    @Test(arguments: [
        "python", "python:3.12", "library/python", "docker.io/library/python:3.12-slim", "localhost:5000/a/b:latest",
        "ghcr.io/a/b_c@sha256:" + String(repeating: "0", count: 64),
        "a.b/c:1@sha256:" + String(repeating: "a", count: 64),
        "im-age/x", "127.0.0.1:5000/x",
    ])
    func readsARegistryReference(text: String) throws {
        #expect(try ImageReference(text) == .registry(text))
    }

    @Test(arguments: [
        "", " ", "Host", "mmdebstrap", "mmdebstrap:", "mmdebstrap:Book", "mmdebstrap:../x", "mmdebstrap:--hook",
        "mmdebstrap:a b", "mmdebstrap:" + String(repeating: "a", count: 33), "im-", "im-zzz", "/etc", "./x", "../x",
        "a//b",
        "a/", "/a", "a:", ":a", "a b", "A/b", "a@sha256:12", "a@", "-a", "a-", "a\u{0}", "a\n", "é", "a:b:c",
        "x.y:port/a", "x.y:65536/a", "a:" + String(repeating: "t", count: 129), String(repeating: "a", count: 513),
        "host:latest\u{1B}[2J", "--help",
    ])
    func refusesInOneLine(text: String) {
        let problem = #expect(throws: ValueProblem.self) { try ImageReference(text) }
        let line = problem?.description ?? ""
        #expect(!line.unicodeScalars.contains { $0.value < 0x20 } && line.utf8.count < 400)
    }
}
