import Foundation
import LinuxSystem
import SandpoolSandbox
import SandpoolTestSupport
import Testing

/// What tests of an ordinary user's open networks share: a host that is a net namespace, plans, and pasta's processes.
enum OrdinaryNetwork {
    static let isPossible = geteuid() == 0 && access("/usr/bin/pasta", X_OK) == 0 && access("/dev/net/tun", F_OK) == 0

    static let addresses = ["203.0.113.1", "203.0.113.9", "203.0.113.53", "10.1.2.3"]

    /// Hands the launcher and the words before a command on its host.
    static func onHost(
        pasta: String? = nil, _ body: (LauncherClient, [String]) throws -> Void
    ) throws {
        try withHost(addresses: addresses, hasNames: true) { host in
            let others = pasta.map(OrdinaryUser.withPasta) ?? []
            let prefix = host + OrdinaryUser.withNetwork(nameserver: "203.0.113.53") + others + OrdinaryUser.become
            try withLauncher(prefix: prefix, owner: OrdinaryUser.id) { try body($0, host) }
        }
    }

    static func plan(_ script: String, domains: [String] = [], ranges: [String] = []) -> SandboxPlan {
        var plan = SandboxPlan.test("/usr/bin/python3", "-c", tools + script)
        plan.leavesOutLimits = true
        plan.network = .open(allowCIDRs: ranges, allowDomains: domains, openedCIDRs: [])
        return plan
    }

    static let tools = """
        import errno, socket, sys, time
        def reach(address, port=80):
            try:
                with socket.create_connection((address, port), 10): return "reached"
            except OSError as error: return errno.errorcode.get(error.errno, "no")
        def find(name):
            try: return socket.gethostbyname(name)
            except OSError: return "none"

        """

    static func expectEnd(of processes: [FileDescriptor]) throws {
        for process in processes {
            var state = pollfd(fd: process.raw, events: Int16(POLLIN), revents: 0)
            #expect(poll(&state, 1, 60_000) == 1, "pasta lives on")
        }
    }

    static func endPasta(of process: LauncherProcess) throws {
        let ends = try process.networkEnds
        kill(try #require(process.networkProcesses.first), SIGKILL)
        try expectEnd(of: ends)
    }

    /// Waits until a sandbox's interface is there and all that belongs to it.
    static func awaitRoute(in network: [String], _ process: LauncherProcess) throws {
        let list = network + ["/usr/bin/env", "ip", "route", "show", "default"]
        while try !Command.run(list).contains("default") { try #require(!process.ends(within: 5)) }
    }
}

extension LauncherProcess {
    /// Its pasta processes: children of the one that it left in the host's net namespace.
    var networkProcesses: [pid_t] {
        Self.children(of: pid).flatMap(Self.children).filter { Self.name(of: $0).hasPrefix("pas") }
    }

    /// The process that it left in the host's net namespace.
    var hostSide: pid_t? {
        Self.children(of: pid).first { child in
            Self.children(of: child).contains { Self.name(of: $0).hasPrefix("pas") }
        }
    }

    /// Readable when these end.
    var networkEnds: [FileDescriptor] { get throws { try networkProcesses.map(ChildProcess.open) } }

    /// The words before a command that run it in the net namespace of its one sandbox.
    var sandboxNetwork: [String]? {
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
