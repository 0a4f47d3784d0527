import Foundation
import LinuxSystem
import SandpoolProbes
import SandpoolSandbox
import Testing

/// An attack that never succeeds shows nothing. Each is made again with its protections taken away.
@Suite struct ProbeControlTests {
    @Test func everyAttackGetsThroughWithoutItsProtection() throws {
        let bait = try Bait()
        var around = bait.surroundings
        around.files = ProbeLayer.files
        var shown: [String: String] = [:]
        try withLauncher(prefix: ProbeLayer.fewFiles) { launcher in
            try ProbeLayer.add(to: launcher)
            let process = try #require(launcher.process)
            let spooler = try process.idleState().children
            for (index, probe) in Battery.all.enumerated() where ProbeControl.canShow(probe) {
                let id = "control-\(index)"
                _ = try launcher.start(.test("/bin/sleep", "600", id: id, mounts: [ProbeLayer.mount]))
                let children = try LauncherState(of: process).children
                let first = try #require(children.first { !spooler.contains($0) }.flatMap { pid_t($0) })
                let finding = try ProbeControl(probe, first: first).run(around)
                shown[probe.name] = check(probe, finding)
                try launcher.send(.cancel(id: id, graceMs: 0))
                _ = try launcher.report(of: id)
                _ = try process.idleState()
            }
        }
        for name in try shownByFlushing() { shown[name] = "shown" }
        let untried = Battery.all.map(\.name).filter { shown[$0] == nil }
        #expect(untried.isEmpty, "\(untried)")
        // A host without modules for half of the families still shows most.
        #expect(shown.values.count { $0 == "shown" } * 4 >= Battery.all.count * 3)
        try report(shown)
    }

    /// `shown`, or why not: this kernel or this host has nothing that could be attacked.
    private func check(_ probe: Probe, _ finding: Finding) -> String {
        if finding.result == "through" { return "shown" }
        let isAbsent = Probe.absent.contains { finding.detail.hasSuffix($0) } || !probe.hasHostCapability
        #expect(
            isAbsent, "\(probe.name) without \(probe.protections.map(\.rawValue)): \(finding.result): \(finding.detail)"
        )
        return probe.hasHostCapability ? finding.detail : "this host's root may not do it either"
    }

    /// An open sandbox whose filter the host's root flushes between its start and the attack. To send from another
    /// address takes more than a command has in any case: the host's root tries that, in the sandbox's net namespace.
    private func shownByFlushing() throws -> [String] {
        var through: [String] = []
        try withHost { prefix in
            try withLauncher(prefix: prefix) { launcher in
                try ProbeLayer.add(to: launcher)
                let process = try #require(launcher.process)
                let known = try LauncherState(of: process).children
                var around = Surroundings()
                around.isNetworkOpen = true
                around.endpoints = ["192.0.2.2:80", "10.1.2.3:80"].compactMap { Surroundings.Endpoint($0) }
                let names = ["private-endpoints", "private-endpoints-mapped"]
                var plan = SandboxPlan.probe(around, only: names, network: .everything)
                plan.arguments = ["/bin/sh", "-c", "read line; exec \"$@\"", "sh"] + plan.arguments
                plan.stdin = .pipe
                let started = try launcher.start(plan)
                let input = try #require(started.input)
                let children = try LauncherState(of: process).children.filter { !known.contains($0) }
                // One of them is the DNS forwarder, on the host.
                let networks = children.map { ["/usr/bin/nsenter", "--net=/proc/\($0)/ns/net"] }
                let sandbox = try #require(
                    networks.first { try !Command.run($0 + ["ip", "-o", "link"]).contains("up0") })
                let spoof = sandbox + [try LauncherProcess.binary("sandpool-probe")] + around.arguments
                let held = try Command.run(spoof + ["--only", "spoofed-source"])
                try #expect(Finding.all(in: held).first?.result == "held", "\(held)")
                for network in [sandbox, prefix] { try Command.run(network + ["/usr/sbin/nft", "flush", "ruleset"]) }
                through = try Finding.all(in: Command.run(spoof + ["--only", "spoofed-source"], anyEnd: true))
                    .filter { $0.result == "through" }.map(\.probe)
                #expect(through == ["spoofed-source"])
                try input.writeAll(Array("go\n".utf8))
                let findings = try Finding.all(in: launcher.finish(plan.id, started).text)
                #expect(findings.map(\.probe) == names)
                for finding in findings {
                    #expect(
                        finding.result == "through", "\(finding.probe) without the egress filter: \(finding.detail)")
                }
                through += findings.filter { $0.result == "through" }.map(\.probe)
            }
        }
        return through
    }

    /// For `scripts/probe-table`, when it asks.
    private func report(_ shown: [String: String]) throws {
        guard let path = ProcessInfo.processInfo.environment["SANDPOOL_PROBE_REPORT"] else { return }
        let lines = Battery.all.map { probe in
            [
                "probe": probe.name, "topic": probe.topic.rawValue, "about": probe.about,
                "protections": probe.protections.map(\.rawValue).joined(separator: ", "),
                "shown": shown[probe.name] ?? "not tried",
            ]
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        try encoder.encode(lines).write(to: URL(filePath: path))
    }
}
