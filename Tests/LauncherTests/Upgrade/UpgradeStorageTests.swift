import Foundation
import LinuxSystem
import SandpoolSandbox
import SandpoolTestSupport
import Testing

/// What sandboxes have beside processes, over an upgrade: disks, layers, files to download, networks.
@Suite struct UpgradeStorageTests {
    @Test func disksAndDownloadsStay() throws {
        try withUpgrades { launcher in
            let client = try launcher.connect()
            try client.importLayer("tree", try Archive.make([("in", "x")]))
            let mount = SandboxPlan.TreeMount(layer: "tree", path: "/work", isFile: false)
            let script = "echo before > /out; echo up; read l; echo $l > /out2; echo new > /work/more; exit 4"
            let sink = try TemporaryFile()
            var plan = SandboxPlan.test(
                "/bin/sh", "-c", script, id: "disk", mounts: [mount], memory: 32 << 20, disk: 64 << 20,
                stdin: .pipe, downloads: ["/out", "/out2", "/work/more"])
            let disk = try client.start(plan, sink: sink.descriptor)
            let memorySink = try TemporaryFile()
            plan.id = "memory"
            plan.limits.memoryBytes = 128 << 20
            let memory = try client.start(plan, sink: memorySink.descriptor)
            for id in ["disk", "memory"] { try client.waitForOutput(id, atLeast: 3) }
            try launcher.upgrade()
            // The same without an upgrade in its life.
            var usual: [String: UInt64] = [:]
            for (id, megabytes) in [("disk", UInt64(32)), ("memory", 128)] {
                plan.id = "usual-\(id)"
                plan.limits.memoryBytes = megabytes << 20
                let started = try client.start(plan, sink: try TemporaryFile().descriptor)
                try #require(started.input).writeAll(Array("after\n".utf8))
                usual[id] = try client.finish(plan.id, started).report.inodes
            }
            for (id, started, sink) in [("disk", disk, sink), ("memory", memory, memorySink)] {
                try #require(started.input).writeAll(Array("after\n".utf8))
                let report = try client.finish(id, started).report
                #expect(report.end == .exited(code: 4) && report.downloadMessage.isEmpty, "\(report.downloadMessage)")
                #expect(report.writableLayer == (id == "disk" ? .loop : .tmpfs))
                #expect(report.inodes == usual[id], "\(report)")
                #expect(report.changedMounts == 1)
                try #expect(sink.archived("out") == "before\n")
                try #expect(sink.archived("out2") == "after\n")
                try #expect(sink.archived("work/more") == "new\n")
            }
            // New ones over the same layer, which is in use no more and can go.
            try #expect(client.run(.test("/bin/cat", "/work/in", id: "next", mounts: [mount])).text == "x")
            try client.send(.removeLayer(layer: "tree"))
            try client.send(.listLayers)
            try #expect(client.layers() == [])
        }
    }

    @Test func networksStayWhatTheyWere() throws {
        try withHost { prefix in
            try withUpgrades(prefix: prefix) { launcher in
                let client = try launcher.connect()
                var plan = SandboxPlan.test("/usr/bin/python3", "-uc", Self.probe, id: "before", stdin: .pipe)
                plan.network = .open(allowCIDRs: [], allowDomains: [], openedCIDRs: [])
                let before = try client.start(plan)
                try client.waitForOutput("before", atLeast: 24)
                try launcher.upgrade()
                plan.id = "after"
                let after = try client.start(plan)
                for started in [before, after] { try #require(started.input).writeAll(Array("go\n".utf8)) }
                let said = "reached refused refused\n"
                let first = try client.finish("before", before)
                #expect(first.text == said + said, "\(first.errorText)")
                let second = try client.finish("after", after)
                #expect(second.text == said + said, "\(second.errorText)")
            }
        }
    }

    /// The forwarder stays the process that it was, and what it learns goes into the filters that were there.
    @Test(.enabled(if: access("/dev/net/tun", F_OK) == 0)) func namesAreStillAnswered() throws {
        try withHost(addresses: OrdinaryNetwork.addresses, hasNames: true) { host in
            let prefix = host + OrdinaryUser.withNetwork(nameserver: "203.0.113.53")
            try withUpgrades(prefix: prefix) { launcher in
                let client = try launcher.connect()
                let script =
                    OrdinaryNetwork.tools + """
                        def all(): return [find("ok.example.org"), reach("203.0.113.1"), find("mixed.example.org")]
                        print(*all(), reach("203.0.113.9"), flush=True)
                        input()
                        print(*all(), find("nine.example.org"), reach("203.0.113.9"))
                        """
                var plan = SandboxPlan.test("/usr/bin/python3", "-c", script, id: "names", stdin: .pipe)
                let domains = ["ok.example.org", "nine.example.org"]
                plan.network = .open(allowCIDRs: [], allowDomains: domains, openedCIDRs: [])
                let started = try client.start(plan)
                try client.waitForOutput("names", atLeast: 35)
                let children = try launcher.children()
                try launcher.upgrade()
                try #expect(launcher.children() == children)
                try #require(started.input).writeAll(Array("go\n".utf8))
                let said = try client.finish("names", started)
                #expect(
                    said.text == """
                        203.0.113.1 reached none ECONNREFUSED
                        203.0.113.1 reached none 203.0.113.9 reached

                        """, "\(said.errorText)")
            }
        }
    }

    /// Connects to a public address, a private one and the host, and again after a line of input.
    private static let probe = """
        import socket, sys
        def attempt(address):
            try:
                with socket.create_connection((address, 80), 5):
                    return "reached"
            except ConnectionRefusedError:
                return "refused"
        for _ in range(2):
            print(*[attempt(a) for a in ["203.0.113.1", "10.1.2.3", "192.0.2.2"]])
            if _ == 0: sys.stdin.readline()
        """
}
