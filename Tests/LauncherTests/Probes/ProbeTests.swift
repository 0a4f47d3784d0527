import Foundation
import LinuxSystem
import SandpoolProbes
import SandpoolSandbox
import Testing

/// The battery of attacks in real sandboxes, and the proof that each would succeed without what it is up against.
@Suite struct ProbeTests {
    /// Not tried, and why that is all right.
    private static let needsNobody = ["it is root already", "the network is blocked", "the network is open"]

    private func expectHeld(_ findings: [Finding], _ what: String) {
        for finding in findings {
            let isFine =
                finding.result == "held"
                || finding.result == "not_run" && Self.needsNobody.contains(finding.detail)
            #expect(isFine, "\(what): \(finding.probe) is \(finding.result): \(finding.detail)")
        }
    }

    @Test(arguments: ["0", "1000"]) func everyAttackIsHeld(user: String) throws {
        let bait = try Bait()
        try withLauncher { launcher in
            try ProbeLayer.add(to: launcher)
            let process = try #require(launcher.process)
            _ = try launcher.run(.test("/bin/true", id: "first", mounts: [ProbeLayer.mount]))
            let before = try process.idleState()
            let host = try HostMarks(launcher: process)
            let done = try launcher.run(.probe(bait.surroundings, user: user))
            let findings = try Finding.all(in: done.text)
            #expect(findings.map(\.probe) == Battery.quick.map(\.name), "\(done.report) \(done.errorText)")
            expectHeld(findings, "user \(user)")
            try process.awaitState("after the battery", before) { $0.withoutPools }
            try #expect(HostMarks(launcher: process) == host)
        }
    }

    /// The host, a neighbour, private networks and the metadata service have servers that would answer.
    @Test(arguments: ["0", "1000"]) func everyAttackIsHeldWithAnOpenNetwork(user: String) throws {
        let addresses = ["203.0.113.1", "10.1.2.3", "172.16.5.5", "192.168.7.7", "169.254.169.254", "100.100.100.200"]
        try withHost(addresses: addresses) { prefix in
            try withLauncher(prefix: prefix) { launcher in
                try ProbeLayer.add(to: launcher)
                let neighbour = try startNeighbour(launcher)
                var around = Surroundings()
                around.isNetworkOpen = true
                around.setUIDProgram = UserIDProgram.bytes == nil ? nil : ProbeLayer.setUIDProgram
                around.hostSocket = "sandpool-test-nobody"
                around.endpoints = (addresses.dropFirst() + ["192.0.2.2", "10.207.0.1", neighbour]).compactMap {
                    Surroundings.Endpoint("\($0):80")
                }
                let done = try launcher.run(.probe(around, user: user, network: .everything))
                let findings = try Finding.all(in: done.text)
                #expect(findings.map(\.probe) == Battery.quick.map(\.name), "\(done.report) \(done.errorText)")
                expectHeld(findings, "user \(user), open")
                try launcher.send(.cancel(id: "neighbour", graceMs: 0))
                _ = try launcher.report(of: "neighbour")
            }
        }
    }

    /// Another open sandbox with a server; returns its address.
    private func startNeighbour(_ launcher: LauncherClient) throws -> String {
        let script = """
            import socket, sys
            s = socket.create_server(('', 80))
            print(open('/etc/hosts').read().split('\\n')[2].split()[0], flush=True)
            while True: s.accept()
            """
        var plan = SandboxPlan.test("/usr/bin/python3", "-c", script, id: "neighbour")
        plan.network = .everything
        let started = try launcher.start(plan)
        try launcher.waitForOutput("neighbour", atLeast: 8)
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = pread(started.output.raw, &bytes, bytes.count, 0)
        let address = String(decoding: bytes[..<max(0, count)], as: UTF8.self).trimmingCharacters(in: .newlines)
        try #require(address.hasPrefix("10.207."), "\(address)")
        return address
    }

    @Test(arguments: Battery.all.filter { !$0.isQuick }.map(\.name), ["0", "1000"])
    func everyExhaustionIsHeld(name: String, user: String) throws {
        let probe = try #require(Battery.probe(named: name))
        var around = Surroundings()
        around.files = ProbeLayer.files
        try withLauncher(prefix: ProbeLayer.fewFiles) { launcher in
            try ProbeLayer.add(to: launcher)
            let process = try #require(launcher.process)
            let before = try process.idleState()
            let done = try launcher.run(.probe(around, only: [name], user: user))
            let findings = try Finding.all(in: done.text)
            if findings.isEmpty {
                // The sandbox was what ended.
                #expect(done.report.oomKills > 0, "\(name): \(done.report) \(done.errorText)")
            } else {
                #expect(findings.map(\.probe) == [probe.name])
                expectHeld(findings, "user \(user)")
            }
            try process.awaitState("after \(name)", before) { $0.withoutCaches }
        }
    }
}

extension SandboxPlan.Network {
    static let everything = SandboxPlan.Network.open(allowCIDRs: [], allowDomains: [], openedCIDRs: [])
}
