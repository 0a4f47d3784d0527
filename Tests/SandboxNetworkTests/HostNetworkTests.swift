import Testing

@Suite("What open networks make on the host", .enabled(if: isRoot, "net namespaces take root"))
struct HostNetworkTests {
    @Test("An orderly end leaves nothing behind")
    func orderlyEnd() throws {
        let topology = try Topology()
        let before = try Self.state(topology)
        _ = try topology.takeOpen("one", opened: "10.1.2.0/24")
        _ = try topology.launcher.ask("refill")
        #expect(try Self.state(topology) != before)
        #expect(try topology.forwarder().isEmpty == false)
        #expect(try topology.launcher.ask("shutdown") == "ok")
        let launcher = topology.launcher.id
        #expect(try Topology.run(["cat", "/proc/\(launcher)/task/\(launcher)/children"]).isEmpty)
        // Namespaces end in the background, and their links with them.
        try Topology.waitUntil("the host is as it was") { try Self.state(topology) == before }
    }

    @Test("A launcher after one that was killed clears what that one left, and works")
    func sweep() throws {
        let topology = try Topology()
        let old = try topology.takeOpen("one")
        // A process in the old sandbox keeps its namespace, and so its link, alive.
        try topology.serve(in: old.enter)
        topology.launcher.end()
        #expect(try topology.inHost("ip", "-o", "link").contains("sp0"))
        // Somebody else's interface with a name like ours.
        _ = try topology.inHost("ip", "link", "add", "sp7", "type", "veth", "peer", "name", "other")
        let next = try PeerProcess(topology.launcherCommand, waitsUntilReady: false)
        defer { next.end() }
        let answer = try next.ask("take two open   ").split(separator: " ").map(String.init)
        try #require(answer.first == "ok")
        let links = try topology.inHost("ip", "-o", "link")
        #expect(links.contains("altname two") && !links.contains("altname one"))
        #expect(links.contains("sp7"))
        let sandbox = SandboxHandle(
            enter: ["/usr/bin/nsenter", "--net=/proc/\(next.id)/fd/\(answer[1])"], address: answer[2], resolver: "")
        #expect(try sandbox.probe("tcp", "203.0.113.1") == "reached 192.0.2.2")
    }

    @Test("Two launchers on a host do not disturb each other")
    func twoLaunchers() throws {
        let topology = try Topology()
        let one = try topology.takeOpen("one")
        let second = try PeerProcess(topology.otherLauncherCommand(), waitsUntilReady: false)
        defer { second.end() }
        let answer = try second.ask("take two open   ").split(separator: " ").map(String.init)
        try #require(answer.first == "ok")
        #expect(answer[2] == "10.219.1.0")
        let two = SandboxHandle(
            enter: ["/usr/bin/nsenter", "--net=/proc/\(second.id)/fd/\(answer[1])"], address: answer[2],
            resolver: "nameserver 10.219.0.1")
        for sandbox in [one, two] {
            #expect(try sandbox.probe("tcp", "203.0.113.1") == "reached 192.0.2.2")
            #expect(try sandbox.lookUp("ok.example.org") == "code0 203.0.113.1")
        }
        #expect(try second.ask("shutdown") == "ok")
        #expect(try one.probe("tcp", "203.0.113.1") == "reached 192.0.2.2")
    }

    @Test("What a launcher that was killed switched on is off after the next start, and nothing else")
    func forwardingIsRestored() throws {
        let topology = try Topology(prepare: [
            "ip link add side0 type veth peer name side1", "sysctl -qw net.ipv4.conf.side0.forwarding=1",
        ])
        func forwarding() throws -> String {
            try topology.inHost("sysctl", "-n", "net.ipv4.conf.up0.forwarding", "net.ipv4.conf.side0.forwarding")
        }
        _ = try topology.takeOpen("one")
        #expect(try forwarding() == "1\n1\n")
        topology.launcher.end()
        let next = try PeerProcess(topology.launcherCommand, waitsUntilReady: false)
        defer { next.end() }
        #expect(try next.ask("take one blocked").hasPrefix("ok"))
        #expect(try forwarding() == "0\n1\n")
        // Killed once more, and then the whole host became a router: that is not undone.
        #expect(try next.ask("take two open   ").hasPrefix("ok"))
        next.end()
        _ = try topology.inHost("sysctl", "-qw", "net.ipv4.ip_forward=1")
        let last = try PeerProcess(topology.launcherCommand, waitsUntilReady: false)
        defer { last.end() }
        #expect(try last.ask("take one blocked").hasPrefix("ok"))
        #expect(try forwarding() == "1\n1\n")
    }

    @Test("A range that the host routes elsewhere is passed over")
    func overlappingRoute() throws {
        let topology = try Topology(prepare: ["ip route add 10.207.64.0/24 via 192.0.2.1"])
        #expect(try topology.takeOpen().address == "10.219.1.0")
    }

    @Test("A DNS server on every address of the host is named as what is in the way")
    func portTaken() throws {
        let topology = try Topology()
        let server = try PeerProcess(
            topology.host.enter + [
                Topology.python, "-c",
                "import socket,sys; s=socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('', 53));"
                    + "print('ready', flush=True); sys.stdin.read()",
            ])
        defer { server.end() }
        let answer = try topology.launcher.ask("take one open   ")
        #expect(answer.hasPrefix("error 98 false open network: port 53 is taken"))
        #expect(try topology.launcher.ask("take one blocked").hasPrefix("ok"))
    }

    @Test(
        "A firewall of the host that drops sandboxes' packets is named, until it names their range",
        arguments: ["forward", "input"])
    func foreignFirewall(hook: String) throws {
        let topology = try Topology(prepare: [
            "nft add table inet firewall",
            "nft 'add chain inet firewall guard { type filter hook \(hook) priority 0; policy drop; }'",
            "nft add rule inet firewall guard ct state established,related accept",
        ])
        let answer = try topology.launcher.ask("take one open   ")
        #expect(answer.hasPrefix("error 0 false open network: chain guard"))
        // What it says to run works.
        let advice = try #require(answer.split(separator: "run: ").last.map(String.init))
        _ = try topology.inHost("sh", "-ec", advice)
        let sandbox = try topology.takeOpen()
        #expect(try sandbox.probe("tcp", "203.0.113.1") == "reached 192.0.2.2")
        #expect(try sandbox.lookUp("ok.example.org") == "code0 203.0.113.1")
    }

    @Test(
        "A firewall made with iptables-legacy is named too, until it names their range",
        arguments: ["FORWARD", "INPUT"])
    func legacyFirewall(chain: String) throws {
        let program = Topology.peers.appending(path: "iptables-legacy").path
        let topology = try Topology(prepare: [
            "\(program) -P \(chain) DROP", "\(program) -I \(chain) -s 203.0.113.53/32 -j ACCEPT",
        ])
        let answer = try topology.launcher.ask("take one open   ")
        #expect(
            answer.hasPrefix("error 0 false open network: chain \(chain) of this host's firewall (iptables-legacy)"))
        // What it says to run works.
        let advice = try #require(answer.split(separator: "run: ").last.map(String.init))
        _ = try topology.inHost("sh", "-ec", "PATH=\(Topology.peers.path):$PATH; \(advice)")
        let sandbox = try topology.takeOpen()
        #expect(try sandbox.probe("tcp", "203.0.113.1") == "reached 192.0.2.2")
        #expect(try sandbox.lookUp("ok.example.org") == "code0 203.0.113.1")
    }

    @Test("The host does not become a router for its neighbours")
    func noRouter() throws {
        let topology = try Topology()
        // A second network behind the host, which the internet tries to reach through it.
        _ = try topology.inHost(
            "sh", "-ec",
            "ip link add side0 type veth peer name side1; ip addr add 198.51.100.1/24 dev side0; ip link set side0 up;"
                + "ip link set side1 up; sysctl -qw net.ipv4.conf.side0.forwarding=1")
        _ = try topology.inInternet("ip", "route", "add", "198.51.100.0/24", "via", "192.0.2.2")
        _ = try topology.takeOpen()
        let rules = try topology.inHost("nft", "list", "set", "inet", "sandpool", "uplinks")
        #expect(rules.contains("elements"))
        _ = try topology.inHost(
            "nft",
            "add table ip watch; add chain ip watch c { type filter hook postrouting priority 0; };"
                + "add rule ip watch c ip daddr 198.51.100.9 counter")
        _ = try? Topology.run(
            topology.internet.enter + [
                Topology.python, Topology.peers.appending(path: "probe.py").path, "udp", "198.51.100.9", "hello",
            ])
        #expect(try topology.inHost("nft", "list", "table", "ip", "watch").contains("packets 0"))
    }

    /// What people see of the network, without counters and carrier.
    private static func state(_ topology: Topology) throws -> String {
        try topology.inHost("sh", "-c", "ip -o link | cut -d: -f2") + topology.inHost("ip", "-o", "-4", "addr")
            + topology.inHost("ip", "route") + topology.inHost("nft", "list", "ruleset")
            + topology.inHost("sysctl", "net.ipv4.conf.up0.forwarding", "net.ipv4.ip_forward")
    }
}
