import Glibc
import LinuxSystem

/// What open sandboxes need on the host: a range of addresses, the gateway address on loopback, one nftables
/// table, and forwarding on the interfaces that lead out. Made at the first open sandbox, taken away at an
/// orderly end; after a crash the next launcher finds it by its range and clears it.
///
/// A host without a default route has no uplinks: open sandboxes start there and reach nothing.
final class HostNetwork {
    let plan: AddressPlan
    let sockets: GatewaySockets
    let route: NetlinkSocket
    let addresses: HostAddresses
    private let table: HostTable
    private let forwarding: Forwarding
    private static let loopback: UInt32 = 1

    init(record: ForwardingRecord?) throws(NetworkError) {
        do {
            route = try NetlinkSocket(.route)
            addresses = try HostAddresses()
            let netfilter = try NetlinkSocket(.netfilter)
            let (plan, sockets) = try Self.claim(route)
            self.plan = plan
            self.sockets = sockets
            table = HostTable(plan: plan, socket: netfilter)
            forwarding = Forwarding(route: route, table: table, record: record)
            try ForeignRules.check(plan: plan, socket: netfilter)
            try Self.sweep(plan, route)
            do { try install() } catch {
                remove()
                throw error
            }
        } catch let error as NetworkError {
            throw error
        } catch {
            throw NetworkError(describing: error, while: "prepare the host's network for open sandboxes")
        }
    }

    /// What the program before made, whose sockets are the claim on it.
    init(takingOver plan: AddressPlan, sockets: GatewaySockets, record: ForwardingRecord?) throws {
        self.plan = plan
        self.sockets = sockets
        route = try NetlinkSocket(.route)
        addresses = try HostAddresses()
        table = HostTable(plan: plan, socket: try NetlinkSocket(.netfilter))
        forwarding = Forwarding(route: route, table: table, record: record)
        forwarding.takeOver()
    }

    private func install() throws {
        try table.install()
        try route.execute(
            [RouteRequest.addAddress(plan.gateway, link: Self.loopback)], stage: "add the gateway address")
        try forwarding.update()
    }

    /// What the host takes for its own, and the range of its sandboxes. Read for each sandbox and after each change,
    /// since a host's addresses come and go.
    func unreachableRanges() throws -> [ClosedRange<UInt32>] { try addresses.ranges() + [plan.network.range] }

    func setOpened(_ networks: [IPv4Network]) throws { try table.setOpened(networks) }

    /// Follows changes of the host's routes: call it now and then.
    func updateForwarding() throws { try forwarding.update() }

    /// Sandboxes' packets leave by these interfaces, so theirs fit them.
    var mtu: UInt32 { forwarding.mtu }

    /// Removes everything that `install` made. What fails is left for the next start.
    func remove() {
        forwarding.restore()
        try? table.remove()
        try? route.execute(
            [RouteRequest.deleteAddress(plan.gateway, link: Self.loopback)], stage: "remove the gateway address")
    }

    /// The first plan whose range is free here and whose gateway no other launcher holds. Binding the
    /// gateway's port 53 is the claim: only root can, it cannot be taken twice, and it ends with its process.
    private static func claim(_ route: NetlinkSocket) throws -> (AddressPlan, GatewaySockets) {
        let links = try route.links()
        let routes = try route.routes()
        var isPortTaken = false
        for plan in AddressPlan.candidates {
            let owned = Set(links.filter { plan.owns(interface: $0.name) && isOurs($0) }.map(\.index))
            let isOverlapping = routes.contains { entry in
                // A default route covers everything and is no claim; our own leftovers are swept.
                guard entry.prefixLength > 0, entry.link.map(owned.contains) != true else { return false }
                return IPv4Network(address: entry.destination, prefixLength: entry.prefixLength).overlaps(plan.network)
            }
            if isOverlapping { continue }
            if let sockets = try GatewaySockets(address: plan.gateway) { return (plan, sockets) }
            isPortTaken = true
        }
        if isPortTaken {
            throw NetworkError(
                "open network: port 53 is taken on every address of this host; let the DNS server that holds it "
                    + "listen on named addresses only (dnsmasq: bind-interfaces)", code: EADDRINUSE)
        }
        throw AddressPlan.noneIsFree
    }

    /// Removes what a launcher that ended without notice left. The claim is held, so nobody uses it.
    private static func sweep(_ plan: AddressPlan, _ route: NetlinkSocket) throws {
        for link in try route.links() where plan.owns(interface: link.name) && isOurs(link) {
            // ENODEV: its namespace ended meanwhile.
            try ignoring(ENODEV) {
                try route.execute([RouteRequest.deleteLink(index: link.index)], stage: "remove \(link.name)")
            }
        }
        try ignoring(EADDRNOTAVAIL) {
            try route.execute(
                [RouteRequest.deleteAddress(plan.gateway, link: loopback)], stage: "remove the gateway address")
        }
    }

    private static func isOurs(_ link: NetworkLink) -> Bool { link.group == HostTable.interfaceGroup }

    private static func ignoring(_ code: Int32, _ body: () throws -> Void) throws {
        do { try body() } catch let error as SystemError where error.code == code {}
    }
}
