import Glibc
import LinuxSystem

/// No net namespace at all: sandboxes are in the launcher's, for what one costs to be measured (`Composition`).
final class SharedNetwork: NetworkProvider {
    private let own: FileDescriptor

    init() throws(SystemError) { own = try FileDescriptor.open("/proc/self/ns/net", O_RDONLY) }

    func take(_ policy: SandboxPlan.Network, sandbox: String) throws(NetworkError) -> NetworkLease {
        NetworkLease(namespace: own, resolvConf: [], hostsAddress: "127.0.1.1")
    }

    func giveBack(_ lease: NetworkLease) {}
    func refill() -> Bool { false }
    func shutDown() {}
}
