import CLinux
import Glibc
import LinuxSystem

/// Net namespaces with nothing but loopback, made when needed.
final class BlockedNetwork: NetworkProvider {
    private let own: FileDescriptor
    private var ready: [FileDescriptor] = []
    private static let readyLimit = 4

    init() throws(SystemError) { own = try FileDescriptor.open("/proc/self/ns/net", O_RDONLY) }

    func take(_ policy: SandboxPlan.Network, slot: UInt32, sandbox: String) throws(NetworkError) -> NetworkLease {
        guard policy == .blocked else {
            throw NetworkError("an open network is not built on this host", isUnenforceable: true)
        }
        do throws(SystemError) {
            let namespace: FileDescriptor
            if let waiting = ready.popLast() { namespace = waiting } else { namespace = try make() }
            return NetworkLease(
                namespace: namespace, slot: slot, resolvConf: Array("# The network is blocked.\n".utf8),
                hostsAddress: "127.0.1.1")
        } catch {
            throw NetworkError("net namespace: \(error)", code: error.code)
        }
    }

    func giveBack(_ lease: NetworkLease) {}

    func refill() -> Bool {
        if ready.count >= Self.readyLimit { return false }
        guard let made = try? make() else { return false }
        ready.append(made)
        return ready.count < Self.readyLimit
    }

    private func make() throws(SystemError) -> FileDescriptor {
        try Namespaces.network.unshare()
        defer { try? Namespaces.network.enter(own) }
        try Loopback.bringUp()
        return try FileDescriptor.open("/proc/self/ns/net", O_RDONLY)
    }
}

enum Loopback {
    /// Brings `lo` of the current net namespace up (netdevice(7)).
    static func bringUp() throws(SystemError) {
        let control = FileDescriptor(
            owning: try systemCall("socket") { socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0) })
        // struct ifreq: 16 bytes of name, then a union that begins with the flags.
        var request = [UInt8](repeating: 0, count: 40)
        request.replaceSubrange(0..<2, with: "lo".utf8)
        request[16] = UInt8(truncatingIfNeeded: 0x1)
        try systemCall("ioctl SIOCSIFFLAGS lo") { ioctl(control.raw, 0x8914, &request) }
    }
}
