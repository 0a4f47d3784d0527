import Testing

@testable import Sandpool

@Suite struct EndpointTests {
    @Test(arguments: [
        ("http://127.0.0.1:7420", "http://127.0.0.1:7420"),
        ("http://example.org", "http://example.org:7420"),
        ("http://example.org:80/", "http://example.org:80"),
        ("http://[::1]:9", "http://[::1]:9"),
        ("http://[::1]", "http://[::1]:7420"),
        ("unix:/run/s.sock", "unix:/run/s.sock"),
        ("http+unix:///run/s.sock", "unix:/run/s.sock"),
    ])
    func reads(_ text: String, _ shown: String) throws {
        #expect(try Endpoint(url: text).description == shown)
    }

    @Test(arguments: [
        "", "127.0.0.1:7420", "https://example.org", "ftp://x", "http://", "http://:80", "http://h:0", "http://h:70000",
        "http://h:x", "http://user@h", "http://h/path", "unix:relative",
    ])
    func refusesInOneLine(_ text: String) throws {
        let error = #expect(throws: SandpoolError.self) { try Endpoint(url: text) }
        #expect(error?.code == "invalid_url")
        #expect(error?.description.contains("\n") == false)
    }

    @Test func namesTLS() throws {
        let error = #expect(throws: SandpoolError.self) { try Endpoint(url: "https://example.org") }
        #expect(error?.hint?.contains("TLS") == true)
    }
}
