import Glibc
import Testing

let isRoot = getuid() == 0

@Suite("Open network", .enabled(if: isRoot, "net namespaces take root"))
struct OpenNetworkTests {
    @Test("The internet is reached, under the host's address")
    func reachesInternet() throws {
        let topology = try Topology()
        let sandbox = try topology.takeOpen()
        #expect(try sandbox.probe("tcp", "203.0.113.1") == "reached 192.0.2.2")
        #expect(try sandbox.probe("udp", "192.0.2.1", "hello") == "reached 192.0.2.2")
        #expect(try topology.inHost("cat", "/proc/sys/net/ipv4/ip_forward") == "0\n")
        #expect(try topology.inHost("ip", "-o", "link", "show", "one").contains("sp0"))
    }

    @Test("Private and metadata addresses are refused, and only because of the filter")
    func refusesPrivateAddresses() throws {
        let topology = try Topology()
        let sandbox = try topology.takeOpen()
        for address in Topology.privateAddresses {
            #expect(try sandbox.probe("tcp", address) == "failed ECONNREFUSED", "\(address)")
            #expect(try sandbox.probe("udp", address, "hello").hasPrefix("failed"), "\(address)")
        }
        try sandbox.removeFilter()
        _ = try topology.inHost("nft", "flush", "chain", "inet", "sandpool", "forward")
        for address in Topology.privateAddresses {
            #expect(try sandbox.probe("tcp", address) == "reached 192.0.2.2", "\(address)")
        }
    }

    @Test("The host is not reached on any of its addresses, and only because of the filters")
    func refusesHost() throws {
        let topology = try Topology()
        try topology.serve(in: topology.host.enter)
        let sandbox = try topology.takeOpen()
        for address in ["192.0.2.2", "10.207.0.1"] {
            #expect(try sandbox.probe("tcp", address) == "failed ECONNREFUSED", "\(address)")
        }
        // The second line, on the host, holds alone.
        try sandbox.removeFilter()
        #expect(try sandbox.probe("tcp", "192.0.2.2").hasPrefix("failed"))
        _ = try topology.inHost("nft", "flush", "ruleset")
        #expect(try sandbox.probe("tcp", "192.0.2.2") == "reached \(sandbox.address)")
    }

    @Test("What the host takes for its own by a route is not reached, and only because of the filters")
    func refusesLocalRoutes() throws {
        let topology = try Topology(prepare: ["ip route add local 198.51.100.0/24 dev lo"])
        try topology.serve(in: topology.host.enter)
        let sandbox = try topology.takeOpen()
        #expect(try sandbox.probe("tcp", "198.51.100.9") == "failed ECONNREFUSED")
        try sandbox.removeFilter()
        _ = try topology.inHost("nft", "flush", "ruleset")
        #expect(try sandbox.probe("tcp", "198.51.100.9") == "reached \(sandbox.address)")
    }

    @Test(
        "What the host takes for its own later is not reached, even after a flush of its ruleset",
        arguments: ["addr IS 198.51.100.9/32 dev up0", "route IS local 198.51.100.0/24 dev lo"])
    func followsHost(change: String) throws {
        let topology = try Topology()
        try topology.serve(in: topology.host.enter)
        let sandbox = try topology.takeOpen()
        _ = try topology.inHost("nft", "flush", "ruleset")
        for (verb, isThere) in [("add", true), ("del", false)] {
            _ = try topology.inHost("sh", "-ec", "ip " + change.replacing("IS", with: verb))
            try Topology.waitUntil("the launcher has heard of it") {
                try sandbox.run("nft", "list", "set", "inet", "sandpool", "host").contains("198.51.100.") == isThere
            }
            if isThere { #expect(try sandbox.probe("tcp", "198.51.100.9") == "failed ECONNREFUSED") }
        }
    }

    @Test("Another sandbox is not reached")
    func refusesOtherSandbox() throws {
        let topology = try Topology()
        let one = try topology.takeOpen("one")
        let two = try topology.takeOpen("two", opened: "10.0.0.0/8")
        try topology.serve(in: one.enter)
        #expect(try two.probe("tcp", one.address) == "failed ECONNREFUSED")
        try two.removeFilter()
        #expect(try two.probe("tcp", one.address).hasPrefix("failed"))
        // Nor does the one answer when everything on the way is open.
        _ = try topology.inHost("nft", "flush", "ruleset")
        #expect(try two.probe("tcp", one.address).hasPrefix("failed"))
    }

    @Test("IPv6 is dropped, and only because of the filter")
    func dropsIPv6() throws {
        let topology = try Topology()
        try topology.serve(in: topology.host.enter)
        let sandbox = try topology.takeOpen()
        _ = try topology.inHost("ip", "-6", "addr", "add", "2001:db8::1/64", "dev", "sp0", "nodad")
        _ = try sandbox.run("ip", "-6", "addr", "add", "2001:db8::2/64", "dev", "eth0", "nodad")
        #expect(try sandbox.probe("tcp", "2001:db8::1").hasPrefix("failed"))
        try sandbox.removeFilter()
        _ = try topology.inHost("nft", "flush", "ruleset")
        #expect(try sandbox.probe("tcp", "2001:db8::1") == "reached 2001:db8::2")
    }

    @Test("A flush of the host's ruleset opens nothing")
    func survivesFlush() throws {
        let topology = try Topology()
        let sandbox = try topology.takeOpen()
        // So that answers find their way without NAT.
        _ = try topology.inInternet("ip", "route", "add", "10.207.0.0/16", "via", "192.0.2.2")
        _ = try topology.inHost("nft", "flush", "ruleset")
        #expect(try sandbox.probe("tcp", "203.0.113.1") == "reached \(sandbox.address)")
        for address in Topology.privateAddresses + ["192.0.2.2"] {
            #expect(try sandbox.probe("tcp", address) == "failed ECONNREFUSED", "\(address)")
        }
    }

    @Test(
        "Root in a user namespace cannot change it",
        arguments: [
            ["nft", "flush", "ruleset"], ["ip", "link", "set", "eth0", "down"],
            ["ip", "addr", "add", "10.9.9.9/32", "dev", "eth0"], ["ip", "route", "del", "default"],
            ["sysctl", "-w", "net.ipv4.ip_forward=1"],
        ])
    func rootInsideIsPowerless(command: [String]) throws {
        let topology = try Topology()
        let sandbox = try topology.takeOpen()
        let rules = try sandbox.run("nft", "list", "ruleset")
        let state = try sandbox.run("ip", "addr") + sandbox.run("ip", "route")
        let outcome = try Topology.outcome(sandbox.enter + ["unshare", "--user", "--map-root-user"] + command)
        #expect(outcome.status != 0)
        #expect(try sandbox.run("nft", "list", "ruleset") == rules)
        #expect(try sandbox.run("ip", "addr") + sandbox.run("ip", "route") == state)
    }

    @Test("A spoofed source address does not leave", arguments: [false, true])
    func dropsSpoofedSource(withoutFilter: Bool) throws {
        let topology = try Topology()
        let sandbox = try topology.takeOpen()
        // The second line, the host's reverse path check, holds alone.
        if withoutFilter { try sandbox.removeFilter() }
        _ = try? sandbox.probe("spoof", "198.51.100.77", "203.0.113.1", "spoofed")
        _ = try sandbox.probe("spoof", sandbox.address, "203.0.113.1", "honest")
        let arrived = try topology.internetPeer.lines(through: "udp 192.0.2.2 honest")
        #expect(arrived == ["udp 192.0.2.2 honest"])
    }

    @Test("Ranges that the operator opened are reached, by that sandbox alone")
    func openedRanges() throws {
        let topology = try Topology()
        let one = try topology.takeOpen("one", opened: "10.1.2.0/24,172.16.5.5/32,10.1.0.0/16")
        let two = try topology.takeOpen("two")
        for address in ["10.1.2.3", "172.16.5.5"] {
            #expect(try one.probe("tcp", address) == "reached 192.0.2.2")
            #expect(try two.probe("tcp", address) == "failed ECONNREFUSED")
        }
        #expect(try one.probe("tcp", "169.254.169.254") == "failed ECONNREFUSED")
        #expect(try one.probe("tcp", "203.0.113.1") == "reached 192.0.2.2")
        // Given back, the host's second line closes again.
        #expect(try topology.launcher.ask("give one") == "ok")
        #expect(!(try topology.inHost("nft", "list", "set", "inet", "sandpool", "opened").contains("elements")))
    }

    @Test("With ranges allowed only they are reached, and private ones never")
    func allowedRanges() throws {
        let topology = try Topology()
        let sandbox = try topology.takeOpen(allow: "203.0.113.0/29,10.0.0.0/8")
        #expect(try sandbox.probe("tcp", "203.0.113.1") == "reached 192.0.2.2")
        #expect(try sandbox.probe("tcp", "203.0.113.9") == "failed ECONNREFUSED")
        #expect(try sandbox.probe("tcp", "10.1.2.3") == "failed ECONNREFUSED")
        // A name server is a way out like any other.
        #expect(try sandbox.lookUp("ok.example.org") == "code5")
    }

    @Test(
        "A policy that cannot be met is refused in one line",
        arguments: [
            ("10.0.0.0/33  ", "10.0.0.0/33"), ("10.0.0.1/8  ", "10.0.0.1/8"), ("::/0  ", "IPv6"),
            ("010.0.0.0/8  ", "010.0.0.0/8"), (" exa%mple.org ", "exa%mple.org"), (" *. ", "*."),
            (" 192.0.2.1 ", "192.0.2.1"), ("  1.2.3", "1.2.3"), (" -a.org ", "-a.org"),
        ])
    func badPolicy(policy: String, named: String) throws {
        let topology = try Topology()
        let answer = try topology.launcher.ask("take one open \(policy)")
        #expect(answer.hasPrefix("error 0 true "))
        #expect(answer.contains(named))
        #expect(try topology.inHost("nft", "list", "ruleset").isEmpty)
    }
}

extension SandboxHandle {
    /// As root of the host, to see that a test fails without the filter.
    func removeFilter() throws { _ = try run("nft", "flush", "ruleset") }
}
