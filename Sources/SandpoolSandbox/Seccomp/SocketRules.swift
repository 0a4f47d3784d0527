import Glibc

/// Which sockets a sandbox may make: by allow-list of family, kind and protocol, because asking for a rare one makes
/// the kernel load its module, and those are where its faults are.
enum SocketRules {
    /// socket(2).
    static func socket(_ filter: inout FilterAssembler) {
        filter.load(.argument(0))
        filter.ifEqual(UInt32(AF_UNIX), .allow)
        filter.ifEqual(UInt32(AF_INET), internet(ping: UInt32(IPPROTO_ICMP)))
        filter.ifEqual(UInt32(AF_INET6), internet(ping: UInt32(IPPROTO_ICMPV6)))
        filter.ifEqual(UInt32(AF_NETLINK), netlink)
        filter.finish(.fail(EAFNOSUPPORT))
    }

    /// socketpair(2), which TIPC also has.
    static func socketPair(_ filter: inout FilterAssembler) {
        filter.load(.argument(0))
        filter.ifEqual(UInt32(AF_UNIX), .allow)
        filter.finish(.fail(EAFNOSUPPORT))
    }

    private static func internet(ping: UInt32) -> FilterAssembler {
        var filter = FilterAssembler()
        filter.load(.argument(1))
        // Beside the kind there are SOCK_CLOEXEC and SOCK_NONBLOCK.
        filter.mask(0xf)
        filter.ifEqual(1, protocols([0, UInt32(IPPROTO_TCP)]))
        filter.ifEqual(2, protocols([0, UInt32(IPPROTO_UDP), ping]))
        // A raw one is for who has CAP_NET_RAW.
        filter.ifEqual(3, .fail(EPERM))
        filter.finish(.fail(ESOCKTNOSUPPORT))
        return filter
    }

    /// NETLINK_ROUTE alone, for getifaddrs(3).
    private static let netlink = protocols([0])

    /// Without MPTCP, SCTP, DCCP, UDP-Lite and whatever comes: programs that try one take the error for a kernel
    /// without it.
    private static func protocols(_ allowed: [UInt32]) -> FilterAssembler {
        var filter = FilterAssembler()
        filter.load(.argument(2))
        for value in allowed { filter.ifEqual(value, .allow) }
        filter.finish(.fail(EPROTONOSUPPORT))
        return filter
    }
}
