import Testing

@Suite("Blocked network", .enabled(if: isRoot, "net namespaces take root"))
struct BlockedNetworkTests {
    @Test("There is nothing but loopback, and it works")
    func loopbackOnly() throws {
        let topology = try Topology()
        let sandbox = try topology.take("one", "blocked")
        let links = try sandbox.run("ip", "-o", "link", "show", "up").split(separator: "\n")
        #expect(links.count == 1)
        #expect(links.first?.contains(" lo: ") == true)
        #expect(try sandbox.run("ip", "route").isEmpty)
        try topology.serve(in: sandbox.enter)
        #expect(try sandbox.probe("tcp", "127.0.0.1") == "reached 127.0.0.1")
        #expect(try sandbox.probe("tcp", "::1") == "reached ::1")
        #expect(!sandbox.resolver.contains("nameserver"))
    }

    @Test("Nothing leaves", arguments: ["203.0.113.1", "192.0.2.2", "10.1.2.3", "10.207.0.1"])
    func nothingLeaves(address: String) throws {
        let topology = try Topology()
        // Even while another sandbox has the network.
        #expect(try topology.takeOpen("other").probe("tcp", "203.0.113.1") == "reached 192.0.2.2")
        let sandbox = try topology.take("one", "blocked")
        #expect(try sandbox.probe("tcp", address) == "failed ENETUNREACH")
        #expect(try sandbox.probe("udp", address, "hello") == "failed ENETUNREACH")
    }

    @Test("Ports below 1024 are free to a user without capabilities")
    func lowPorts() throws {
        let topology = try Topology()
        let sandbox = try topology.take("one", "blocked")
        let drop = ["setpriv", "--reuid", "1000", "--clear-groups", "--inh-caps=-all", Topology.python]
        let probe = Topology.peers.appending(path: "probe.py").path
        #expect(try Topology.run(sandbox.enter + drop + [probe, "bind", "80"]) == "bound\n")
    }

    @Test("Making one takes nothing from the host's own network")
    func hostUntouched() throws {
        let topology = try Topology()
        let before = try topology.inHost("ip", "-o", "addr")
        _ = try topology.take("one", "blocked")
        #expect(try topology.inHost("ip", "-o", "addr") == before)
        #expect(try topology.inHost("nft", "list", "ruleset").isEmpty)
    }
}
