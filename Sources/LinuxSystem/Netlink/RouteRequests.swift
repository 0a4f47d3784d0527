/// rtnetlink(7) requests, IPv4 only. Addresses are in host order.
public enum RouteRequest {
    private enum Kind {
        static let newLink: UInt16 = 16
        static let deleteLink: UInt16 = 17
        static let getLink: UInt16 = 18
        static let newAddress: UInt16 = 20
        static let deleteAddress: UInt16 = 21
        static let getAddress: UInt16 = 22
        static let newRoute: UInt16 = 24
        static let getRoute: UInt16 = 26
        static let newLinkProperty: UInt16 = 108
    }

    static let ipv4: UInt8 = 2
    private static let ipv6: UInt16 = 10
    private static let up: UInt32 = 1

    /// Attribute numbers of linux/if_link.h, linux/if_addr.h and linux/rtnetlink.h.
    enum Attribute {
        static let linkName: UInt16 = 3
        static let linkMTU: UInt16 = 4
        static let linkInfo: UInt16 = 18
        static let linkFamilies: UInt16 = 26
        static let linkGroup: UInt16 = 27
        static let linkNamespace: UInt16 = 28
        static let linkProperties: UInt16 = 52
        static let linkAlternativeName: UInt16 = 53
        static let infoKind: UInt16 = 1
        static let infoData: UInt16 = 2
        static let vethPeer: UInt16 = 1
        static let addressLocal: UInt16 = 2
        static let routeDestination: UInt16 = 1
        static let routeOutputLink: UInt16 = 4
        static let routeGateway: UInt16 = 5
        static let routePreferredSource: UInt16 = 7
    }

    /// Per-link IPv4 settings: the numbers of `IPV4_DEVCONF_*` in linux/ip.h.
    public enum IPv4Setting: UInt16, Sendable {
        case forwarding = 1
        case acceptRedirects = 4
        case sendRedirects = 6
        /// 1: strict reverse path check.
        case reversePathFilter = 8
    }

    /// A veth whose peer is born in the namespace `peerNamespace`: moving it there later takes 16 ms, this
    /// 0.4 ms.
    public static func createVeth(
        name: String, group: UInt32, peerName: String, peerNamespace: Int32, mtu: UInt32
    ) -> NetlinkMessage {
        var message = link(Kind.newLink, flags: [.create, .exclusive])
        message.attribute(Attribute.linkName, name)
        message.attribute(Attribute.linkMTU, mtu)
        message.attribute(Attribute.linkGroup, group)
        message.nest(Attribute.linkInfo) {
            $0.attribute(Attribute.infoKind, "veth")
            $0.nest(Attribute.infoData) {
                $0.nest(Attribute.vethPeer, header: linkHeader()) {
                    $0.attribute(Attribute.linkName, peerName)
                    $0.attribute(Attribute.linkMTU, mtu)
                    $0.attribute(Attribute.linkNamespace, UInt32(bitPattern: peerNamespace))
                }
            }
        }
        return message
    }

    /// - Parameter mtu: in bytes; nil leaves it as it is.
    public static func setUp(link index: UInt32, mtu: UInt32? = nil) -> NetlinkMessage {
        var message = link(Kind.newLink, index: index, interfaceFlags: up)
        if let mtu { message.attribute(Attribute.linkMTU, mtu) }
        return message
    }

    /// Sets per-link values without a writable `/proc/sys`, which a hardened service does not have.
    public static func set(_ settings: [(IPv4Setting, UInt32)], link index: UInt32) -> NetlinkMessage {
        var message = link(Kind.newLink, index: index)
        message.nest(Attribute.linkFamilies) {
            $0.nest(UInt16(ipv4)) {
                $0.nest(1) { for (setting, value) in settings { $0.attribute(setting.rawValue, value) } }
            }
        }
        return message
    }

    /// No link-local IPv6 address on the link (IN6_ADDR_GEN_MODE_NONE). Fails with EAFNOSUPPORT where the
    /// kernel has no IPv6, which is as good.
    public static func withoutIPv6Address(link index: UInt32) -> NetlinkMessage {
        var message = link(Kind.newLink, index: index)
        message.nest(Attribute.linkFamilies) {
            $0.nest(ipv6) { $0.attribute(8, [1]) }
        }
        return message
    }

    /// A second, longer name (at most 127 bytes) under which `ip link` finds the link.
    public static func addAlternativeName(_ name: String, link index: UInt32) -> NetlinkMessage {
        var message = link(Kind.newLinkProperty, index: index, flags: [.create, .exclusive, .append])
        message.nest(Attribute.linkProperties) { $0.attribute(Attribute.linkAlternativeName, name) }
        return message
    }

    public static func deleteLink(index: UInt32) -> NetlinkMessage { link(Kind.deleteLink, index: index) }

    public static func findLink(_ name: String) -> NetlinkMessage {
        var message = link(Kind.getLink)
        message.attribute(Attribute.linkName, name)
        return message
    }

    public static func listLinks() -> NetlinkMessage { link(Kind.getLink) }

    /// A /32 of scope `host` on loopback and of scope `universe` on others.
    public static func addAddress(_ address: UInt32, link index: UInt32) -> NetlinkMessage {
        addressRequest(Kind.newAddress, address, index, flags: [.create, .exclusive])
    }

    public static func deleteAddress(_ address: UInt32, link index: UInt32) -> NetlinkMessage {
        addressRequest(Kind.deleteAddress, address, index, flags: [])
    }

    public static func listAddresses() -> NetlinkMessage {
        NetlinkMessage(type: Kind.getAddress, header: [ipv4, 0, 0, 0, 0, 0, 0, 0])
    }

    /// A route to one address directly on the link.
    public static func addHostRoute(
        to address: UInt32, link index: UInt32, preferredSource: UInt32? = nil
    ) -> NetlinkMessage {
        var message = route(Kind.newRoute, destinationLength: 32, scope: 253, flags: [.create, .exclusive])
        message.attribute(Attribute.routeDestination, bigEndian: address)
        message.attribute(Attribute.routeOutputLink, index)
        if let preferredSource { message.attribute(Attribute.routePreferredSource, bigEndian: preferredSource) }
        return message
    }

    public static func addDefaultRoute(via gateway: UInt32, link index: UInt32) -> NetlinkMessage {
        var message = route(Kind.newRoute, destinationLength: 0, scope: 0, flags: [.create, .exclusive])
        message.attribute(Attribute.routeGateway, bigEndian: gateway)
        message.attribute(Attribute.routeOutputLink, index)
        return message
    }

    /// Of one table and one type; 0 is any.
    public static func listRoutes(table: UInt8, type: UInt8) -> NetlinkMessage {
        NetlinkMessage(type: Kind.getRoute, header: [ipv4, 0, 0, 0, table, 0, 0, type, 0, 0, 0, 0])
    }

    /// `struct ifinfomsg`.
    private static func linkHeader(index: UInt32 = 0, interfaceFlags: UInt32 = 0) -> [UInt8] {
        let words = [0, index, interfaceFlags, interfaceFlags]
        return words.flatMap { withUnsafeBytes(of: $0, Array.init) }
    }

    private static func link(
        _ type: UInt16, index: UInt32 = 0, interfaceFlags: UInt32 = 0, flags: NetlinkMessage.Flags = []
    ) -> NetlinkMessage {
        NetlinkMessage(type: type, flags: flags, header: linkHeader(index: index, interfaceFlags: interfaceFlags))
    }

    /// `struct ifaddrmsg`. Loopback has index 1 in every namespace.
    private static func addressRequest(
        _ type: UInt16, _ address: UInt32, _ index: UInt32, flags: NetlinkMessage.Flags
    ) -> NetlinkMessage {
        let scope: UInt8 = index == 1 ? 254 : 0
        let header = [ipv4, 32, 0, scope] + withUnsafeBytes(of: index, Array.init)
        var message = NetlinkMessage(type: type, flags: flags, header: header)
        message.attribute(Attribute.addressLocal, bigEndian: address)
        return message
    }

    /// `struct rtmsg`: main table (254), protocol static (4), unicast (1).
    private static func route(
        _ type: UInt16, destinationLength: UInt8, scope: UInt8, flags: NetlinkMessage.Flags = []
    ) -> NetlinkMessage {
        NetlinkMessage(
            type: type, flags: flags, header: [ipv4, destinationLength, 0, 0, 254, 4, scope, 1, 0, 0, 0, 0])
    }
}
