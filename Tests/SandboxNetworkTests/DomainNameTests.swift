import Testing

@Suite("DNS of open sandboxes", .enabled(if: isRoot, "net namespaces take root"))
struct DomainNameTests {
    @Test(
        "Names are looked up at the host's server", .serialized,
        arguments: [
            ("ok.example.org", 1, "code0 203.0.113.1"),
            ("OK.Example.ORG", 1, "code0 203.0.113.1"),
            ("alias.example.org", 1, "code0 type5 203.0.113.1"),
            ("loop.example.org", 1, "code0 type5"),
            ("missing.example.org", 1, "code3"),
            // IPv6 is off: the name is there, without such addresses.
            ("ok.example.org", 28, "code0"),
            // Addresses in private ranges are taken out.
            ("rebind.example.org", 1, "code0"),
            ("mixed.example.org", 1, "code0 203.0.113.1"),
            // Everything about a name.
            ("ok.example.org", 255, "code5"),
        ])
    func lookUp(name: String, type: Int, expected: String) throws {
        let sandbox = try Shared.topology.get().takeOpen("lookup")
        defer { _ = try? Shared.topology.get().launcher.ask("give lookup") }
        for how in ["udp", "tcp"] {
            #expect(try sandbox.lookUp(name, type: type, how: how) == expected, "\(how)")
        }
    }

    /// One topology for the cases above.
    enum Shared { nonisolated(unsafe) static let topology = Result { try Topology() } }

    @Test("An answer that was cut comes whole by TCP")
    func longAnswer() throws {
        let topology = try Topology()
        let sandbox = try topology.takeOpen()
        let cut = try sandbox.lookUp("big.example.org")
        #expect(cut.hasPrefix("code0 cut"))
        #expect(try sandbox.lookUp("big.example.org", how: "tcp").split(separator: " ").count == 101)
    }

    @Test("Malformed questions neither stop it nor reach the server")
    func hostileQuestions() throws {
        let topology = try Topology()
        let sandbox = try topology.takeOpen()
        #expect(try sandbox.lookUp("ok.example.org", how: "hostile") == "code0 203.0.113.1")
        let asked = try topology.internetPeer.lines(through: "asked ok.example.org")
        #expect(asked.allSatisfy { $0.hasPrefix("asked ok.example.org 1") })
    }

    @Test("With domains allowed only their addresses are reached, once they were looked up")
    func allowedDomains() throws {
        let topology = try Topology()
        let one = try topology.takeOpen("one", domains: "ok.example.org,*.wild.example.org,rebind.example.org")
        let two = try topology.takeOpen("two", domains: "other.example.org")
        #expect(try one.probe("tcp", "203.0.113.1") == "failed ECONNREFUSED")
        #expect(try one.lookUp("nine.example.org") == "code5")
        #expect(try one.lookUp("wild.example.org") == "code5")
        #expect(try one.lookUp("sub.ok.example.org") == "code5")
        #expect(try one.lookUp("ok.example.org") == "code0 203.0.113.1")
        #expect(try one.probe("tcp", "203.0.113.1") == "reached 192.0.2.2")
        #expect(try two.probe("tcp", "203.0.113.1") == "failed ECONNREFUSED")
        #expect(try one.probe("tcp", "203.0.113.9") == "failed ECONNREFUSED")
        #expect(try one.lookUp("a.wild.example.org", how: "tcp") == "code0 203.0.113.9")
        #expect(try one.probe("tcp", "203.0.113.9") == "reached 192.0.2.2")
        // Twice: an element that is there is renewed.
        #expect(try one.lookUp("ok.example.org") == "code0 203.0.113.1")
        #expect(try one.lookUp("rebind.example.org") == "code0")
        #expect(try one.probe("tcp", "10.1.2.3") == "failed ECONNREFUSED")
        // The names that were refused were not asked: what is not on the list does not leak.
        let asked = try topology.internetPeer.lines(through: "asked rebind.example.org")
        #expect(!asked.contains { $0.contains("nine.") || $0.contains("sub.") || $0.contains("asked wild.") })
    }

    @Test("An opened private range may be answered with")
    func openedRange() throws {
        let topology = try Topology()
        let sandbox = try topology.takeOpen(domains: "mixed.example.org", opened: "10.1.2.0/24")
        #expect(try sandbox.lookUp("mixed.example.org") == "code0 10.1.2.3 203.0.113.1")
        #expect(try sandbox.probe("tcp", "10.1.2.3") == "reached 192.0.2.2")
    }

    @Test("Servers that do not answer are passed over", arguments: ["192.0.2.99", "127.0.0.1", "192.0.2.1"])
    func deadServer(address: String) throws {
        let topology = try Topology(resolver: "search local\nnameserver \(address)\nnameserver 203.0.113.53\n")
        #expect(try topology.takeOpen().lookUp("ok.example.org") == "code0 203.0.113.1")
    }

    @Test("Without any server the sandbox starts and lookups fail")
    func noServer() throws {
        let topology = try Topology(prepare: ["ip route del default"], resolver: "")
        #expect(try topology.takeOpen().lookUp("ok.example.org") == "code2")
    }

    @Test("The forwarder has no privilege and nothing open that it does not need")
    func forwarderIsUnprivileged() throws {
        let topology = try Topology()
        _ = try topology.takeOpen()
        let forwarder = try topology.forwarder()
        let status = try Topology.run(["cat", "/proc/\(forwarder)/status"]).split(separator: "\n")
        func value(_ name: String) -> String? {
            status.first { $0.hasPrefix(name + ":") }.map {
                $0.split(separator: "\t").dropFirst().joined(separator: " ")
            }
        }
        #expect(value("Uid") == "65534 65534 65534 65534")
        #expect(value("Gid") == "65534 65534 65534 65534")
        #expect(value("CapPrm") == "0000000000000000")
        #expect(value("CapBnd") == "0000000000000000")
        #expect(value("NoNewPrivs") == "1")
        #expect(value("Seccomp") == "2")
        // 0 to 2, three sockets, and the event loop's two.
        #expect(try Topology.run(["ls", "/proc/\(forwarder)/fd"]).split(separator: "\n").count <= 8)
    }

    @Test("A forwarder that ended is started again and knows every sandbox")
    func forwarderRestarts() throws {
        let topology = try Topology()
        let one = try topology.takeOpen("one", domains: "ok.example.org")
        let two = try topology.takeOpen("two", domains: "nine.example.org")
        try Topology.run(["kill", "-9", topology.forwarder()])
        #expect(try one.lookUp("ok.example.org", how: "tcp") == "code0 203.0.113.1")
        #expect(try one.probe("tcp", "203.0.113.1") == "reached 192.0.2.2")
        #expect(try two.lookUp("ok.example.org") == "code5")
        #expect(try two.lookUp("nine.example.org") == "code0 203.0.113.9")
    }
}

extension Topology {
    /// The forwarder is the launcher's only child.
    func forwarder() throws -> String {
        let children = try Self.run(["cat", "/proc/\(launcher.id)/task/\(launcher.id)/children"])
        return try #require(children.split(separator: " ").first.map(String.init))
    }
}
