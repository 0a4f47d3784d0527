import Glibc

/// Kinds of sockets that no sandbox needs.
enum SocketProbes {
    /// Netlink protocols (netlink(7)) other than ROUTE.
    private static let netlink: [(name: String, number: Int32)] = [
        ("xfrm", 6), ("audit", 9), ("connector", 11), ("netfilter", 12), ("uevent", 15), ("generic", 16),
        ("crypto", 21),
    ]

    /// Families of address_families(7), with a type and protocol that each has.
    private static let families: [(name: String, family: Int32, type: Int32, number: Int32)] = [
        ("rds", 21, 5, 0), ("can", 29, 3, 1), ("tipc", 30, 2, 0), ("bluetooth", 31, 3, 1),
        ("rxrpc", 33, 2, 2), ("alg", 38, 5, 0), ("nfc", 39, 3, 0), ("vsock", 40, 1, 0), ("kcm", 41, 2, 0),
        ("qrtr", 42, 2, 0), ("smc", 43, 1, 0),
    ]

    private static let wall: [Protection] = [.seccomp, .capabilities, .userNamespace]

    static let all: [Probe] =
        families.map { kind in
            Probe(
                "socket-\(kind.name)", .sockets, "a socket of the family \(kind.name.uppercased())", behind: [.seccomp]
            ) {
                _ in
                make(kind.name, kind.family, kind.type, kind.number)
            }
        }
        + netlink.map { kind in
            Probe("netlink-\(kind.name)", .sockets, "a netlink socket to \(kind.name.uppercased())", behind: [.seccomp])
            {
                _ in
                make("netlink \(kind.name)", 16, 3, kind.number)
            }
        }
        + [
            Probe("socket-mptcp", .sockets, "a multipath TCP socket", behind: [.seccomp]) { _ in
                make("MPTCP", AF_INET, 1, 262)
            },
            Probe("socket-key", .sockets, "a socket of the family KEY", behind: wall) { _ in make("key", 15, 3, 2) },
            Probe("socket-packet", .sockets, "a socket for whole packets", behind: wall) { _ in
                make("packet", 17, 3, 0)
            },
            Probe("socket-xdp", .sockets, "a socket of the family XDP", behind: wall) { _ in make("xdp", 44, 3, 0) },
            Probe("socket-raw", .sockets, "raw IP packets", behind: wall) { _ in make("raw IP", AF_INET, 3, 1) },
        ]

    private static func make(_ name: String, _ family: Int32, _ type: Int32, _ number: Int32) -> Outcome {
        let answer = Answer(of: socket(family, type | Int32(SOCK_CLOEXEC.rawValue), number))
        if answer.code == 0 { close(Int32(answer.value)) }
        return answer.outcome("socket \(name)")
    }
}
