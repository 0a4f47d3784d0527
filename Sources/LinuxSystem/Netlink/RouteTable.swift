import Glibc

/// A network interface as rtnetlink lists it.
public struct NetworkLink: Equatable, Sendable {
    public var index: UInt32
    public var name: String
    public var group: UInt32
    public var mtu: UInt32
    /// Whether packets that arrive on it may be forwarded (`net.ipv4.conf.<name>.forwarding`).
    public var isForwarding: Bool
}

/// An IPv4 route.
public struct NetworkRoute: Equatable, Sendable {
    /// Host order.
    public var destination: UInt32
    public var prefixLength: UInt8
    /// The interface, or nil for one that has none or several.
    public var link: UInt32?
}

/// What the namespace of a route socket holds.
extension NetlinkSocket {
    public func links() throws -> [NetworkLink] {
        var links: [NetworkLink] = []
        try dump(RouteRequest.listLinks(), stage: "list links") { reply in
            if let link = NetworkLink(reply) { links.append(link) }
        }
        return links
    }

    /// The number of the interface with this name; ENODEV when there is none.
    public func linkIndex(_ name: String) throws -> UInt32 {
        var index: UInt32 = 0
        try execute([RouteRequest.findLink(name)], stage: "find \(name)") { index = $0.uint32(at: 4) }
        return index
    }

    /// The IPv4 addresses of the namespace, in host order.
    public func addresses() throws -> [UInt32] {
        var addresses: [UInt32] = []
        try dump(RouteRequest.listAddresses(), stage: "list addresses") { reply in
            if let address = reply.localAddress { addresses.append(address) }
        }
        return addresses
    }

    /// The routes of the main table.
    public func routes() throws -> [NetworkRoute] {
        try routes(RouteRequest.listRoutes(table: NetworkRoute.mainTable, type: 0)) { $0.isOfMainTable }
    }

    /// What the namespace takes for its own by routes, be it an address of an interface or a whole range that none has
    /// (ip-route(8), type `local`; "AnyIP"). Of the tables that every packet is looked up in: others may be for packets
    /// with a mark, such as a proxy's that takes everything.
    public func localRoutes() throws -> [NetworkRoute] {
        try routes(RouteRequest.listRoutes(table: 0, type: NetworkRoute.localType)) { $0.isLocalRoute }
    }

    private func routes(
        _ request: NetlinkMessage, where isWanted: (NetlinkReply) -> Bool
    ) throws -> [NetworkRoute] {
        var routes: [NetworkRoute] = []
        do {
            try dump(request, stage: "list routes") { reply in
                if isWanted(reply), let route = NetworkRoute(reply) { routes.append(route) }
            }
        } catch let error as SystemError where error.code == ENOENT {
            // A table comes with its first route.
        }
        return routes
    }
}

extension NetworkLink {
    private static let messageType: UInt16 = 16

    /// Nil for a message of another kind.
    init?(_ reply: NetlinkReply) {
        typealias Attribute = RouteRequest.Attribute
        guard reply.type == Self.messageType else { return nil }
        let attributes = reply.attributes(after: 16)
        // IFLA_AF_SPEC → AF_INET → IFLA_INET_CONF: an array of numbers, setting n at n - 1.
        let settings = attributes[Attribute.linkFamilies]?.nested[UInt16(RouteRequest.ipv4)]?.nested[1]?.value
        let forwarding = RouteRequest.IPv4Setting.forwarding.rawValue
        self.init(
            index: reply.uint32(at: 4),
            name: attributes[Attribute.linkName]?.string ?? "",
            group: attributes[Attribute.linkGroup]?.uint32 ?? 0,
            mtu: attributes[Attribute.linkMTU]?.uint32 ?? 1_500,
            isForwarding: settings?.hostUInt32(at: Int(forwarding - 1) * 4) == 1)
    }
}

extension NetworkRoute {
    fileprivate static let mainTable: UInt8 = 254
    fileprivate static let localType: UInt8 = 2

    /// Nil for a message of another kind or another family.
    init?(_ reply: NetlinkReply) {
        guard reply.isRoute else { return nil }
        let attributes = reply.attributes(after: 12)
        self.init(
            destination: attributes[RouteRequest.Attribute.routeDestination]?.bigEndian32 ?? 0,
            prefixLength: reply.byte(at: 1),
            link: attributes[RouteRequest.Attribute.routeOutputLink]?.uint32)
    }
}

extension NetlinkReply {
    private static let newAddress: UInt16 = 20
    private static let deleteAddress: UInt16 = 21
    private static let newRoute: UInt16 = 24
    private static let deleteRoute: UInt16 = 25
    /// default, main and local: those of the rules that every namespace begins with (ip-rule(8)).
    private static let usualTables: ClosedRange<UInt8> = 253...255

    private var isIPv4: Bool { byte(at: 0) == RouteRequest.ipv4 }
    fileprivate var isRoute: Bool { isIPv4 && (type == Self.newRoute || type == Self.deleteRoute) }
    fileprivate var isOfMainTable: Bool { byte(at: 4) == NetworkRoute.mainTable }

    /// Whether it is about a route by which the namespace takes packets for its own.
    var isLocalRoute: Bool {
        isRoute && byte(at: 7) == NetworkRoute.localType && Self.usualTables.contains(byte(at: 4))
    }

    /// Whether after it the namespace may take other addresses for its own.
    var isAboutOwnAddresses: Bool {
        isLocalRoute || isIPv4 && (type == Self.newAddress || type == Self.deleteAddress)
    }

    /// The IPv4 address of the host that the message is about, in host order; nil for a message of another kind.
    var localAddress: UInt32? {
        guard type == Self.newAddress, isIPv4 else { return nil }
        return attributes(after: 8)[RouteRequest.Attribute.addressLocal]?.bigEndian32
    }
}
