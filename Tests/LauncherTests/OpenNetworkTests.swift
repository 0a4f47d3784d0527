import Foundation
import SandpoolSandbox
import Testing

/// The launcher in a net namespace that stands for the host, with another behind it that stands for the
/// internet; the machine's own network is not touched.
@Suite struct OpenNetworkTests {
    @Test func theInternetIsReachedAndPrivateAddressesAreNot() throws {
        try withHost { prefix in
            try withLauncher(prefix: prefix) { client in
                var plan = SandboxPlan.test("/usr/bin/python3", "-c", Self.probe, id: "sb-open")
                plan.network = .open(allowCIDRs: [], allowDomains: [], openedCIDRs: [])
                let done = try client.run(plan)
                #expect(done.text == "nameserver 10.207.0.1\nreached refused refused refused\n", "\(done.errorText)")
            }
        }
    }

    @Test func aPolicyThatCannotBeMetIsTheSpecsFault() throws {
        try withHost { prefix in
            try withLauncher(prefix: prefix) { client in
                var plan = SandboxPlan.test("/bin/true", id: "sb-open")
                plan.network = .open(allowCIDRs: ["300.0.0.0/8"], allowDomains: [], openedCIDRs: [])
                let failure = try client.failure(of: plan)
                #expect(failure.kind == .spec)
                #expect(failure.message.contains("300.0.0.0/8"))
            }
        }
    }

    /// Connects to a public address, a private one, the host, and the gateway.
    private static let probe = """
        import socket
        print(open("/etc/resolv.conf").read(), end="")
        said = []
        for address in ["203.0.113.1", "10.1.2.3", "192.0.2.2", "10.207.0.1"]:
            try:
                with socket.create_connection((address, 80), 5):
                    said.append("reached")
            except ConnectionRefusedError:
                said.append("refused")
        print(*said)
        """
}
