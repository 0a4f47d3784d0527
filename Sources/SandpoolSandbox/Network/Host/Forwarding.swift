import Glibc
import LinuxSystem

/// Forwarding on the host's uplinks: the kernel asks the interface that a packet *arrives* on, so both the
/// sandboxes' interfaces and those that answers come in on need `net.ipv4.conf.<name>.forwarding`. Setting
/// `net.ipv4.ip_forward` would do it for all interfaces, and change how the host treats redirects.
final class Forwarding {
    private static let defaultMTU: UInt32 = 1_500

    private let route: NetlinkSocket
    private let table: HostTable
    /// Interfaces that forward because of us.
    private var switchedOn: Set<UInt32> = []
    private(set) var mtu = defaultMTU

    init(route: NetlinkSocket, table: HostTable) {
        self.route = route
        self.table = table
    }

    /// Turns it on where a route has come since the last call.
    func update() throws {
        let routes = try route.routes()
        let links = try route.links().filter { $0.group != HostTable.interfaceGroup && $0.name != "lo" }
        let present = Set(links.map(\.index))
        var changed = switchedOn.intersection(present)
        let routed = Set(routes.compactMap(\.link))
        for link in links where routed.contains(link.index) && !link.isForwarding {
            try route.execute(
                [RouteRequest.set([(.forwarding, 1)], link: link.index)], stage: "forward on \(link.name)")
            changed.insert(link.index)
        }
        // Somebody else (Docker, an administrator) made the whole host a router meanwhile: then what its
        // neighbours may send through it is theirs to say.
        if Self.isHostRouter() { changed = [] }
        if changed != switchedOn { try table.setUplinks(changed.sorted()) }
        switchedOn = changed
        let exits = Set(routes.filter { $0.prefixLength == 0 }.compactMap(\.link))
        mtu = links.filter { exits.contains($0.index) }.map(\.mtu).min() ?? Self.defaultMTU
    }

    /// Turns off what `update` turned on.
    func restore() {
        for index in switchedOn where !Self.isHostRouter() {
            try? route.execute([RouteRequest.set([(.forwarding, 0)], link: index)], stage: "stop forwarding")
        }
        switchedOn = []
    }

    private static func isHostRouter() -> Bool {
        let file = try? FileDescriptor.open("/proc/sys/net/ipv4/ip_forward", O_RDONLY)
        return (try? file?.readAll(limit: 16))?.first == UInt8(ascii: "1")
    }
}
