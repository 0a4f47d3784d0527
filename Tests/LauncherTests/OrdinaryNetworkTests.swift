import Foundation
import LinuxSystem
import SandpoolSandbox
import SandpoolTestSupport
import Testing

/// An ordinary user's open networks, by pasta, on a host that is a net namespace.
@Suite(
    .enabled(if: geteuid() == 0, "only root can become somebody else"),
    .enabled(if: access("/usr/bin/pasta", X_OK) == 0, "passt is not installed"),
    .enabled(if: access("/dev/net/tun", F_OK) == 0, "this kernel has no tun"))
struct OrdinaryNetworkTests {
    private static let addresses = ["203.0.113.1", "203.0.113.9", "203.0.113.53", "10.1.2.3"]

    /// Hands the launcher and the words before a command on its host.
    private func withOrdinaryHost(_ body: (LauncherClient, [String]) throws -> Void) throws {
        try withHost(addresses: Self.addresses, hasNames: true) { host in
            let prefix = host + OrdinaryUser.withNetwork(nameserver: "203.0.113.53") + OrdinaryUser.become
            try withLauncher(prefix: prefix, owner: OrdinaryUser.id) { try body($0, host) }
        }
    }

    private func plan(_ script: String, domains: [String] = [], ranges: [String] = []) -> SandboxPlan {
        var plan = SandboxPlan.test("/usr/bin/python3", "-c", Self.tools + script)
        plan.leavesOutLimits = true
        plan.network = .open(allowCIDRs: ranges, allowDomains: domains, openedCIDRs: [])
        return plan
    }

    private static let tools = """
        import errno, socket, sys, time
        def reach(address, port=80):
            try:
                with socket.create_connection((address, port), 10): return "reached"
            except OSError as error: return errno.errorcode.get(error.errno, "no")
        def find(name):
            try: return socket.gethostbyname(name)
            except OSError: return "none"

        """

    @Test func theInternetIsReachedAndTheHostIsNot() throws {
        try withOrdinaryHost { launcher, host in
            // The same servers, from the host itself.
            for address in ["203.0.113.1", "10.1.2.3", "192.0.2.2", "127.0.0.1"] {
                let words = host + ["/usr/bin/python3", "-c", Self.tools + "print(reach('\(address)'))"]
                try #expect(Command.run(words) == "reached\n", "\(address)")
            }
            // An address of the internet, a private one, the host's own, its loopback's, and the next hop's.
            let done = try launcher.run(
                plan(
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
        try withOrdinaryHost { launcher, _ in
            let done = try launcher.run(
                plan(
                    """
                    for name in "ok.example.org", "rebind.example.org", "mixed.example.org": print(find(name))
                    """))
            #expect(done.text == "203.0.113.1\nnone\n203.0.113.1\n", "\(done.errorText)")
        }
    }

    @Test func allowedDomainsAndRangesAreAllThereIs() throws {
        try withOrdinaryHost { launcher, _ in
            let script = """
                print(reach("203.0.113.1"), find("ok.example.org"), find("nine.example.org"))
                print(reach("203.0.113.1"), reach("203.0.113.9"))
                """
            let domain = try launcher.run(plan(script, domains: ["ok.example.org"]))
            #expect(
                domain.text == "ECONNREFUSED 203.0.113.1 none\nreached ECONNREFUSED\n", "\(domain.errorText)")
            let range = try launcher.run(plan(script, ranges: ["203.0.113.8/29"]))
            #expect(range.text == "ECONNREFUSED none none\nECONNREFUSED reached\n", "\(range.errorText)")
        }
    }

    @Test func sandboxesDoNotSeeEachOther() throws {
        try withOrdinaryHost { launcher, _ in
            var first = plan("s = socket.create_server(('', 8080)); print('up', flush=True); s.accept()")
            first.id = "sb-first"
            let started = try launcher.start(first)
            try launcher.waitForOutput("sb-first", atLeast: 3)
            let other = try launcher.run(plan("print(reach('10.207.1.0', 8080), reach('10.207.1.1', 8080))"))
            #expect(other.text == "ECONNREFUSED ECONNREFUSED\n", "\(other.errorText)")
            try launcher.send(.cancel(id: "sb-first", graceMs: 0))
            _ = try launcher.finish("sb-first", started)
        }
    }

    /// pasta connects as the host does, so an address that the host gets later must not be reachable either.
    @Test func addressesThatTheHostGetsLaterAreItsOwn() throws {
        try withOrdinaryHost { launcher, host in
            let started = try launcher.start(plan("print('up', flush=True); time.sleep(1000)"))
            try launcher.waitForOutput("test", atLeast: 3)
            let network = try #require(launcher.process?.sandboxNetwork)
            let list = network + ["/usr/sbin/nft", "list", "set", "inet", "sandpool", "host"]
            try #expect(Command.run(list).contains("192.0.2.2"))
            for (change, isThere) in [("add", true), ("del", false)] {
                try Command.run(host + ["/usr/bin/env", "ip", "addr", change, "198.51.100.7/32", "dev", "up0"])
                let end = Date(timeIntervalSinceNow: 60)
                while try Command.run(list).contains("198.51.100.7") != isThere {
                    try #require(Date() < end, "the filter does not follow")
                }
            }
            try launcher.send(.cancel(id: "test", graceMs: 0))
            _ = try launcher.finish("test", started)
        }
    }

    @Test func aNetworkThatEndsIsAnErrorAndNoWait() throws {
        try withOrdinaryHost { launcher, _ in
            let started = try launcher.start(
                plan(
                    "print(reach('203.0.113.1'), flush=True)\nwhile reach('203.0.113.1') == 'reached': pass\n"
                        + "print(reach('203.0.113.1'), find('ok.example.org'))"))
            try launcher.waitForOutput("test", atLeast: 8)
            let pasta = try #require(launcher.process?.networkProcesses.first)
            kill(pasta, SIGKILL)
            try #expect(launcher.finish("test", started).text == "reached\nENETUNREACH none\n")
            try #expect(launcher.run(plan("print(reach('203.0.113.1'))")).text == "reached\n")
        }
    }

    @Test func pastaEndsWithItsSandbox() throws {
        try withOrdinaryHost { launcher, _ in
            let process = try #require(launcher.process)
            for _ in 0..<3 {
                let started = try launcher.start(
                    plan("print(reach('203.0.113.1'), flush=True); time.sleep(1000)"))
                try launcher.waitForOutput("test", atLeast: 8)
                let pasta = try process.networkEnds
                #expect(pasta.count == 1)
                try launcher.send(.cancel(id: "test", graceMs: 0))
                try #expect(launcher.finish("test", started).text == "reached\n")
                try expectEnd(of: pasta)
            }
        }
    }

    @Test func pastaEndsWithItsLauncher() throws {
        try withHost(addresses: Self.addresses, hasNames: true) { host in
            let directory = try LauncherProcess.temporaryDirectory()
            defer { LauncherProcess.removeData(directory) }
            #expect(chown(directory, OrdinaryUser.id, OrdinaryUser.id) == 0)
            let (own, theirs) = try SeqPacketSocket.pair()
            let process = try LauncherProcess(
                dataDirectory: directory, arguments: ["--connected-fd", "3"], connection: theirs.descriptor,
                prefix: host + OrdinaryUser.withNetwork(nameserver: "203.0.113.53") + OrdinaryUser.become)
            let launcher = try LauncherClient(own, process)
            _ = try launcher.start(plan("print('up', flush=True); time.sleep(1000)"))
            try launcher.waitForOutput("test", atLeast: 3)
            let pasta = try process.networkEnds
            #expect(pasta.count == 1)
            kill(process.pid, SIGKILL)
            process.wait()
            try expectEnd(of: pasta)
        }
    }

    @Test func nothingInsideCanChangeTheFilter() throws {
        try withOrdinaryHost { launcher, _ in
            var plan = plan("")
            plan.arguments = ["/bin/sh", "-c", "nft flush ruleset 2>&1 | tail -1; ip link set eth0 down 2>&1"]
            plan.capabilities = .build
            plan.environment = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]
            let text = try launcher.run(plan).text
            #expect(text.contains("nft") || text.contains("ermitted") || text.contains("upported"), "\(text)")
            #expect(text.contains("ermitted") || text.contains("denied"), "\(text)")
        }
    }

    private func expectEnd(of processes: [FileDescriptor]) throws {
        for process in processes {
            var state = pollfd(fd: process.raw, events: Int16(POLLIN), revents: 0)
            #expect(poll(&state, 1, 60_000) == 1, "pasta lives on")
        }
    }
}

extension LauncherProcess {
    /// Its pasta processes: children of the one that it left in the host's net namespace.
    fileprivate var networkProcesses: [pid_t] {
        Self.children(of: pid).flatMap(Self.children).filter { Self.name(of: $0).hasPrefix("pas") }
    }

    /// Readable when these end.
    fileprivate var networkEnds: [FileDescriptor] { get throws { try networkProcesses.map(ChildProcess.open) } }

    /// The words before a command that run it in the net namespace of its one sandbox.
    fileprivate var sandboxNetwork: [String]? {
        let sandbox = Self.children(of: pid).first { child in
            (try? String(contentsOfFile: "/proc/\(child)/net/dev", encoding: .utf8))?.contains("eth0:") ?? false
        }
        return sandbox.map { ["/usr/bin/nsenter", "--net=/proc/\($0)/ns/net"] }
    }

    private static func children(of pid: pid_t) -> [pid_t] {
        let list = (try? String(contentsOfFile: "/proc/\(pid)/task/\(pid)/children", encoding: .utf8)) ?? ""
        return list.split(separator: " ").compactMap { pid_t($0) }
    }

    private static func name(of pid: pid_t) -> String {
        (try? String(contentsOfFile: "/proc/\(pid)/comm", encoding: .utf8)) ?? ""
    }
}
