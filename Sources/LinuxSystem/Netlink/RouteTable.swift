/// A network interface as rtnetlink lists it.
public struct NetworkLink: Equatable, Sendable {
    public var index: UInt32
    public var name: String
    public var group: UInt32
    public var mtu: UInt32
    /// Whether packets that arrive on it may be forwarded (`net.ipv4.conf.<name>.forwarding`).
    public var isForwarding: Bool
}

/// An IPv4 route of the main table.
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

    public func routes() throws -> [NetworkRoute] {
        var routes: [NetworkRoute] = []
        try dump(RouteRequest.listRoutes(), stage: "list routes") { reply in
            if let route = NetworkRoute(reply) { routes.append(route) }
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
    private static let messageType: UInt16 = 24
    private static let mainTable: UInt8 = 254

    /// Nil for a message of another kind, another family or another table than the main one.
    init?(_ reply: NetlinkReply) {
        guard reply.type == Self.messageType, reply.byte(at: 0) == RouteRequest.ipv4,
            reply.byte(at: 4) == Self.mainTable
        else { return nil }
        let attributes = reply.attributes(after: 12)
        self.init(
            destination: attributes[RouteRequest.Attribute.routeDestination]?.bigEndian32 ?? 0,
            prefixLength: reply.byte(at: 1),
            link: attributes[RouteRequest.Attribute.routeOutputLink]?.uint32)
    }
}

extension NetlinkReply {
    private static let newAddress: UInt16 = 20

    /// The IPv4 address of the host that the message is about, in host order; nil for a message of another kind.
    var localAddress: UInt32? {
        guard type == Self.newAddress, byte(at: 0) == RouteRequest.ipv4 else { return nil }
        return attributes(after: 8)[RouteRequest.Attribute.addressLocal]?.bigEndian32
    }
}
