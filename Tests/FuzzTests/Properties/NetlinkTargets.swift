@testable import LinuxSystem

/// What the kernel answers about links, addresses, routes and rulesets. It is trusted; the names and rules in it are
/// other programs'.
extension FuzzTarget {
    static let netlink = [
        FuzzTarget(
            "netlink",
            sources: [
                "LinuxSystem/Netlink/NetlinkReply.swift", "LinuxSystem/Netlink/RouteTable.swift",
                "LinuxSystem/Netlink/NftablesChains.swift",
            ], seeds: NetlinkSamples.datagrams
        ) { bytes in
            var (found, replies, payload) = (false, 0, 0)
            for (reply, _) in NetlinkDatagram(bytes[...]) {
                replies += 1
                payload += reply.payload.count
                let names = [NetworkLink(reply)?.name, NftablesBaseChain(reply)?.table].compactMap(\.self)
                // Each byte that is no UTF-8 becomes U+FFFD, of three bytes.
                guard names.allSatisfy({ $0.utf8.count <= 3 * reply.payload.count }) else {
                    return .broken("a name is longer than its message")
                }
                found =
                    found || !names.isEmpty || reply.compares([1, 2, 3, 4]) || reply.localAddress != nil
                    || NetworkRoute(reply) != nil || reply.isAboutOwnAddresses
            }
            guard replies * NetlinkMessage.headerSize + payload <= bytes.count else {
                return .broken("\(replies) messages with \(payload) bytes in \(bytes.count)")
            }
            return found ? .accepted : .refused
        }
    ]
}

enum NetlinkSamples {
    static let datagrams = [link, address, route, chain, rule, link + address]

    private static func message(_ type: UInt16, header: [UInt8], _ fill: (inout NetlinkMessage) -> Void) -> [UInt8] {
        var message = NetlinkMessage(type: type, header: header)
        fill(&message)
        return message.encoded(sequence: 1)
    }

    private static let link = message(16, header: [UInt8](repeating: 0, count: 16)) { link in
        link.attribute(RouteRequest.Attribute.linkName, "sp1")
        link.attribute(RouteRequest.Attribute.linkMTU, UInt32(1_500))
        link.attribute(RouteRequest.Attribute.linkGroup, UInt32(3))
        link.nest(RouteRequest.Attribute.linkFamilies) { families in
            families.nest(UInt16(RouteRequest.ipv4)) { $0.attribute(1, [UInt8](repeating: 1, count: 32)) }
        }
    }

    private static let address = message(20, header: [RouteRequest.ipv4, 32, 0, 0, 1, 0, 0, 0]) {
        $0.attribute(RouteRequest.Attribute.addressLocal, bigEndian: UInt32(0x0a00_0001))
    }

    private static let route = message(24, header: [RouteRequest.ipv4, 24, 0, 0, 254, 0, 0, 0, 0, 0, 0, 0]) {
        $0.attribute(RouteRequest.Attribute.routeDestination, bigEndian: UInt32(0x0a00_0000))
        $0.attribute(RouteRequest.Attribute.routeOutputLink, UInt32(2))
    }

    private static let chain = message(0xa03, header: [2, 0, 0, 0]) { chain in
        chain.attribute(1, "filter")
        chain.attribute(3, "FORWARD")
        chain.nest(4) { $0.attribute(1, bigEndian: UInt32(2)) }
        chain.attribute(5, bigEndian: UInt32(0))
    }

    private static let rule = message(0xa06, header: [2, 0, 0, 0]) { rule in
        rule.nest(4) { list in
            list.nest(1) { expression in
                expression.attribute(1, "cmp")
                expression.nest(2) { $0.nest(3) { $0.attribute(1, [1, 2, 3, 4]) } }
            }
        }
    }
}
