import Glibc
import LinuxSystem

/// pasta(1) of the package passt: a process of the user's that carries what leaves a net namespace on by sockets of
/// the namespace that it was started in.
///
/// Tried: 0.0~git20230309 of Debian 12 and 20250503 of Debian 13. One that does not know an option ends at once.
public enum Pasta {
    /// Looked for nowhere else: what `PATH` finds may be anybody's.
    static let path = "/usr/bin/pasta"
    /// Of the package's two programs it is the one that goes by this name.
    private static let name = "pasta"
    private static let device = "/dev/net/tun"
    /// What it makes in the namespace; it goes when pasta does.
    static let interface = "eth0"
    /// Connections end at pasta, so packets to it may be as large as its own tap allows (pasta(1), `--mtu`).
    static let mtu: UInt32 = 65_520
    /// Its own end of the tap; any address that is administered locally does.
    private static let hardwareAddress = "52:55:0a:cf:00:01"

    /// What an ordinary user's open sandboxes lack on a host.
    public struct Lack: Equatable, Sendable {
        public var what: String
        public var fix: String

        /// One line with what to do.
        public var text: String { "without root, \(what); \(fix), or use sudo" }
    }

    /// What is missing here for ordinary users' sandboxes to have a network. Nil: nothing that shows without a try.
    public static var missing: Lack? {
        if access(path, X_OK) != 0 {
            return Lack(what: "\(path) is needed and not there", fix: "run apt-get install passt")
        }
        // A node may be there, and no driver behind it.
        do throws(SystemError) { _ = try FileDescriptor.open(device, O_RDWR) } catch {
            let reason = String(cString: strerror(error.code))
            return Lack(
                what: "\(device) is needed and cannot be opened (\(reason))",
                fix: "run modprobe tun and give the device mode 0666")
        }
        return nil
    }

    /// Standard input is the namespace, and standard error takes the process's number once the interface is there:
    /// later versions close every other descriptor first, and AppArmor's profile of it knows few paths.
    ///
    /// Nothing of the host's is mapped to an address inside, no port is forwarded in either direction, and nothing is
    /// configured: the launcher does that. Every address is given, and loopback stands for the interface to take them
    /// from: pasta ends where that, or else a default route, is missing. The host's routes lead out all the same.
    static func words(address: UInt32, gateway: UInt32) -> [String] {
        [
            name, "--foreground", "--quiet", "--netns", "/proc/self/fd/0", "--no-netns-quit", "--pid",
            "/proc/self/fd/2", "--ns-ifname", interface, "--ipv4-only", "--no-map-gw", "--tcp-ports", "none",
            "--udp-ports", "none", "--tcp-ns", "none", "--udp-ns", "none", "--no-dhcp", "--no-dhcpv6", "--no-ndp",
            "--no-ra", "--interface", "lo", "--mac-addr", hardwareAddress, "--address", IPv4Address.text(address),
            "--netmask", "16", "--gateway", IPv4Address.text(gateway),
        ]
    }
}
