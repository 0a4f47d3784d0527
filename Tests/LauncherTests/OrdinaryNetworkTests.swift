import Foundation
import LinuxSystem
import SandpoolSandbox
import SandpoolTestSupport
import Testing

/// An ordinary user's open networks, by pasta, on a host that is a net namespace.
@Suite(.enabled(if: OrdinaryNetwork.isPossible, "it takes root, passt and a kernel with tun"))
struct OrdinaryNetworkTests {
    @Test func theInternetIsReachedAndTheHostIsNot() throws {
        try OrdinaryNetwork.onHost { launcher, host in
            // The same servers, from the host itself.
            for address in ["203.0.113.1", "10.1.2.3", "192.0.2.2", "127.0.0.1"] {
                let words = host + ["/usr/bin/python3", "-c", OrdinaryNetwork.tools + "print(reach('\(address)'))"]
                try #expect(Command.run(words) == "reached\n", "\(address)")
            }
            // An address of the internet, a private one, the host's own, its loopback's, and the next hop's.
            let done = try launcher.run(
                OrdinaryNetwork.plan(
                    """
                    for address in "203.0.113.1", "10.1.2.3", "192.0.2.2", "127.0.0.1", "0.0.0.0", "10.207.0.1":
                        print(address, reach(address))
                    """))
            #expect(
                done.text == """
                    203.0.113.1 reached
                    10.1.2.3 ECONNREFUSED
                    192.0.2.2 ECONNREFUSED
                    127.0.0.1 ECONNREFUSED
                    0.0.0.0 ECONNREFUSED
                    10.207.0.1 ECONNREFUSED

                    """, "\(done.errorText)")
        }
    }

    @Test func namesArePrivateOnlyOutside() throws {
        try OrdinaryNetwork.onHost { launcher, _ in
            let done = try launcher.run(
                OrdinaryNetwork.plan(
                    """
                    for name in "ok.example.org", "rebind.example.org", "mixed.example.org": print(find(name))
                    """))
            #expect(done.text == "203.0.113.1\nnone\n203.0.113.1\n", "\(done.errorText)")
        }
    }

    @Test func allowedDomainsAndRangesAreAllThereIs() throws {
        try OrdinaryNetwork.onHost { launcher, _ in
            let script = """
                print(reach("203.0.113.1"), find("ok.example.org"), find("nine.example.org"))
                print(reach("203.0.113.1"), reach("203.0.113.9"))
                """
            let domain = try launcher.run(OrdinaryNetwork.plan(script, domains: ["ok.example.org"]))
            #expect(
                domain.text == "ECONNREFUSED 203.0.113.1 none\nreached ECONNREFUSED\n", "\(domain.errorText)")
            let range = try launcher.run(OrdinaryNetwork.plan(script, ranges: ["203.0.113.8/29"]))
            #expect(range.text == "ECONNREFUSED none none\nECONNREFUSED reached\n", "\(range.errorText)")
        }
    }

    @Test func sandboxesDoNotSeeEachOther() throws {
        try OrdinaryNetwork.onHost { launcher, _ in
            var first = OrdinaryNetwork.plan(
                "s = socket.create_server(('', 8080)); print('up', flush=True); s.accept()")
            first.id = "sb-first"
            let started = try launcher.start(first)
            try launcher.waitForOutput("sb-first", atLeast: 3)
            let other = try launcher.run(
                OrdinaryNetwork.plan("print(reach('10.207.1.0', 8080), reach('10.207.1.1', 8080))"))
            #expect(other.text == "ECONNREFUSED ECONNREFUSED\n", "\(other.errorText)")
            try launcher.send(.cancel(id: "sb-first", graceMs: 0))
            _ = try launcher.finish("sb-first", started)
        }
    }

    /// pasta connects as the host does, so what the host takes for its own later must not be reachable either, be it
    /// without an address ("AnyIP").
    @Test(arguments: [
        (["addr"], "198.51.100.7/32", "up0", "198.51.100.7"), (["route"], "198.51.100.0/24", "lo", "198.51.100.0/24"),
    ])
    func whatTheHostTakesLaterIsItsOwn(object: [String], range: String, device: String, shown: String) throws {
        try OrdinaryNetwork.onHost { launcher, host in
            let started = try launcher.start(OrdinaryNetwork.plan("print('up', flush=True); time.sleep(1000)"))
            try launcher.waitForOutput("test", atLeast: 3)
            let network = try #require(launcher.process?.sandboxNetwork)
            let list = network + ["/usr/sbin/nft", "list", "set", "inet", "sandpool", "host"]
            try #expect(Command.run(list).contains("192.0.2.2"))
            for (change, isThere) in [("add", true), ("del", false)] {
                let kind = object == ["route"] ? ["local"] : []
                try Command.run(host + ["/usr/bin/env", "ip"] + object + [change] + kind + [range, "dev", device])
                let end = Date(timeIntervalSinceNow: 60)
                while try Command.run(list).contains(shown) != isThere {
                    try #require(Date() < end, "the filter does not follow")
                }
            }
            try launcher.send(.cancel(id: "test", graceMs: 0))
            _ = try launcher.finish("test", started)
        }
    }

    @Test func rangesThatTheHostTakesAreNotReached() throws {
        try OrdinaryNetwork.onHost { launcher, host in
            try Command.run(host + ["/usr/bin/env", "ip", "route", "add", "local", "198.51.100.0/24", "dev", "lo"])
            let words = host + ["/usr/bin/python3", "-c", OrdinaryNetwork.tools + "print(reach('198.51.100.9'))"]
            try #expect(Command.run(words) == "reached\n")
            try #expect(launcher.run(OrdinaryNetwork.plan("print(reach('198.51.100.9'))")).text == "ECONNREFUSED\n")
        }
    }

    @Test func nothingInsideCanChangeTheFilter() throws {
        try OrdinaryNetwork.onHost { launcher, _ in
            var plan = OrdinaryNetwork.plan("")
            plan.arguments = ["/bin/sh", "-c", "nft flush ruleset 2>&1 | tail -1; ip link set eth0 down 2>&1"]
            plan.capabilities = .build
            plan.environment = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]
            let text = try launcher.run(plan).text
            #expect(text.contains("nft") || text.contains("ermitted") || text.contains("upported"), "\(text)")
            #expect(text.contains("ermitted") || text.contains("denied"), "\(text)")
        }
    }

}
