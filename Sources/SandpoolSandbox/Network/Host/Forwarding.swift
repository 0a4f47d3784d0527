import Glibc
import LinuxSystem

/// Forwarding on the host's uplinks: the kernel asks the interface that a packet *arrives* on, so both the
/// sandboxes' interfaces and those that answers come in on need `net.ipv4.conf.<name>.forwarding`. Setting
/// `net.ipv4.ip_forward` would do it for all interfaces, and change how the host treats redirects.
final class Forwarding {
    private static let defaultMTU: UInt32 = 1_500

    private let route: NetlinkSocket
    private let table: HostTable
    private let record: ForwardingRecord?
    /// Interfaces that forward because of us, by number.
    private var switchedOn: [UInt32: String] = [:]
    private(set) var mtu = defaultMTU

    init(route: NetlinkSocket, table: HostTable, record: ForwardingRecord?) {
        self.route = route
        self.record = record
        self.table = table
    }

    /// What the program before turned on is this one's to turn off. What fails here fails for sandboxes to come, whose
    /// own `update` says so: no sandbox that runs ends for it.
    func takeOver() {
        switchedOn = (try? record?.read()) ?? [:]
        // The record was written before the table, which may have failed.
        try? table.setUplinks(switchedOn.keys.sorted())
        do { try update() } catch { Diagnostics.write("\(error)") }
    }

    /// Turns it on where a route has come since the last call.
    func update() throws {
        let routes = try route.routes()
        let links = try route.links().filter { $0.group != HostTable.interfaceGroup && $0.name != "lo" }
        let present = Set(links.map(\.index))
        let routed = Set(routes.compactMap(\.link))
        let added = links.filter { routed.contains($0.index) && !$0.isForwarding }
        var changed = switchedOn.filter { present.contains($0.key) }
        for link in added { changed[link.index] = link.name }
        if changed != switchedOn { try record?.write(changed) }
        for link in added {
            try route.execute(
                [RouteRequest.set([(.forwarding, 1)], link: link.index)], stage: "forward on \(link.name)")
        }
        // Somebody else (Docker, an administrator) made the whole host a router meanwhile: then what its
        // neighbours may send through it is theirs to say.
        if Self.isHostRouter() {
            changed = [:]
            record?.remove()
        }
        if changed != switchedOn { try table.setUplinks(changed.keys.sorted()) }
        switchedOn = changed
        let exits = Set(routes.filter { $0.prefixLength == 0 }.compactMap(\.link))
        mtu = links.filter { exits.contains($0.index) }.map(\.mtu).min() ?? Self.defaultMTU
    }

    /// Turns off what `update` turned on.
    func restore() {
        for index in switchedOn.keys where !Self.isHostRouter() {
            try? route.execute([RouteRequest.set([(.forwarding, 0)], link: index)], stage: "stop forwarding")
        }
        switchedOn = [:]
        record?.remove()
    }

    static func isHostRouter() -> Bool {
        let file = try? FileDescriptor.open("/proc/sys/net/ipv4/ip_forward", O_RDONLY)
        return (try? file?.readAll(limit: 16))?.first == UInt8(ascii: "1")
    }
}
