import CLinux
import Glibc

/// What can be reached through the network.
enum NetworkProbes {
    /// Nobody else is waited for so long.
    private static let connectMs: Int32 = 1_000
    /// Well-known services on private addresses: clouds' metadata and their resolvers.
    private static let wellKnown: [Surroundings.Endpoint] = [
        "169.254.169.254:80", "100.100.100.200:80", "168.63.129.16:80", "10.0.0.1:80", "172.17.0.1:80",
        "192.168.0.1:80", "127.0.0.53:53",
    ].compactMap { Surroundings.Endpoint($0) }

    static let all: [Probe] = [
        Probe(
            "host-abstract-socket", .sockets, "connect to a socket of the host that has no path",
            behind: [.netNamespace]
        ) {
            guard let name = $0.hostSocket else { return .notRun("no bait was laid out") }
            return abstractSocket(name)
        },
        Probe(
            "private-endpoints", .sockets, "connect to the host, other sandboxes and private networks",
            behind: [.netNamespace, .egressFilter]
        ) {
            .first(of: ($0.endpoints + wellKnown).map { connectTo($0, mapped: false) })
        },
        Probe(
            "private-endpoints-mapped", .sockets, "the same, as ::ffff: addresses of IPv6",
            behind: [.netNamespace, .egressFilter]
        ) {
            .first(of: ($0.endpoints + wellKnown).map { connectTo($0, mapped: true) })
        },
        Probe("interfaces", .sockets, "find a way out of a blocked network", behind: [.netNamespace], network: .blocked)
        {
            _ in
            interfaces()
        },
        Probe("datagram-out", .sockets, "send a question to a name server", behind: [.netNamespace], network: .blocked)
        {
            _ in
            send(to: 0x0101_0101, port: 53, from: nil)
        },
        Probe(
            "spoofed-source", .sockets, "send from an address that is not its own",
            behind: [.seccomp, .capabilities, .userNamespace, .egressFilter], network: .open
        ) { _ in
            send(to: 0xcb00_7101, port: 53, from: 0xcb00_7163)
        },
        Probe(
            "network-settings", .sockets, "change its own interfaces",
            behind: [.seccomp, .capabilities, .userNamespace]
        ) { _ in
            interfaceFlags()
        },
    ]

    private static func interfaces() -> Outcome {
        let names = Place.text("/proc/net/dev").split(separator: "\n").dropFirst(2).compactMap { line in
            line.split(separator: ":").first?.split(separator: " ").first.map(String.init)
        }
        // A kernel puts ends of its tunnels into every namespace; they are down, and stay so.
        let others = names.filter { $0 != "lo" && isUp($0) }
        return others.isEmpty ? .held("only lo is up") : .through("\(others.joined(separator: ", ")) is up")
    }

    /// SIOCGIFFLAGS of netdevice(7), and IFF_UP in its answer.
    private static func isUp(_ name: String) -> Bool {
        let file = socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard file >= 0 else { return true }
        defer { close(file) }
        var request = [UInt8](repeating: 0, count: 40)
        for (index, byte) in name.utf8.prefix(15).enumerated() { request[index] = byte }
        let answer = request.withUnsafeMutableBytes {
            Answer(__NR_ioctl, Int(file), 0x8913, Int(bitPattern: $0.baseAddress))
        }
        return answer.code != 0 || request[16] & 1 != 0
    }

    private static func abstractSocket(_ name: String) -> Outcome {
        let file = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard file >= 0 else { return .held("socket: \(Answer.text(errno))") }
        defer { close(file) }
        var address = sockaddr_un()
        let size = address.setAbstract(name)
        return connectAny(file, &address, Int(size), "@\(name)")
    }

    private static func connectTo(_ endpoint: Surroundings.Endpoint, mapped: Bool) -> Outcome {
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let file = socket(mapped ? AF_INET6 : AF_INET, kind, 0)
        let name = (mapped ? "::ffff:" : "") + endpoint.description
        guard file >= 0 else { return .held("socket: \(Answer.text(errno))") }
        defer { close(file) }
        if mapped {
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = endpoint.port.bigEndian
            withUnsafeMutableBytes(of: &address.sin6_addr) { bytes in
                bytes.storeBytes(of: 0xffff, toByteOffset: 10, as: UInt16.self)
                bytes.storeBytes(of: endpoint.address.bigEndian, toByteOffset: 12, as: UInt32.self)
            }
            return connectAny(file, &address, MemoryLayout<sockaddr_in6>.size, name)
        }
        var address = internet(endpoint.address, endpoint.port)
        return connectAny(file, &address, MemoryLayout<sockaddr_in>.size, name)
    }

    private static func connectAny<Address>(_ file: Int32, _ address: inout Address, _ size: Int, _ name: String)
        -> Outcome
    {
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(file, $0, socklen_t(size)) }
        }
        var code = result == 0 ? 0 : errno
        if code == EINPROGRESS {
            var state = pollfd(fd: file, events: Int16(POLLOUT), revents: 0)
            guard poll(&state, 1, connectMs) == 1 else { return .held("connect \(name): no answer") }
            var size = socklen_t(MemoryLayout<Int32>.size)
            getsockopt(file, SOL_SOCKET, SO_ERROR, &code, &size)
        }
        return code == 0 ? .through("connected to \(name)") : .held("connect \(name): \(Answer.text(code))")
    }

    /// A datagram that has left the socket counts: what is on the wire cannot be taken back.
    private static func send(to destination: UInt32, port: UInt16, from source: UInt32?) -> Outcome {
        let file = socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard file >= 0 else { return .held("socket: \(Answer.text(errno))") }
        defer { close(file) }
        if let source {
            // IP_TRANSPARENT and, for those who may not, IP_FREEBIND of ip(7): an address that no interface has.
            var yes: Int32 = 1
            for option: Int32 in [19, 15] {
                if setsockopt(file, Int32(IPPROTO_IP), option, &yes, socklen_t(MemoryLayout<Int32>.size)) == 0 { break }
            }
            var address = internet(source, 0)
            let bound = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(file, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            guard bound == 0 else { return .held("bind: \(Answer.text(errno))") }
        }
        var address = internet(destination, port)
        var byte: UInt8 = 0
        let sent = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(file, &byte, 1, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        return Answer(of: sent).outcome("sendto")
    }

    private static func internet(_ address: UInt32, _ port: UInt16) -> sockaddr_in {
        var result = sockaddr_in()
        result.sin_family = sa_family_t(AF_INET)
        result.sin_port = port.bigEndian
        result.sin_addr.s_addr = address.bigEndian
        return result
    }

    /// Brings up lo, which is up: SIOCSIFFLAGS of netdevice(7).
    private static func interfaceFlags() -> Outcome {
        let file = socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard file >= 0 else { return .held("socket: \(Answer.text(errno))") }
        defer { close(file) }
        // struct ifreq: "lo" in little endian, then IFF_UP at offset 16.
        return withMemory(40, [0: 0x6f6c, 16: 1]) {
            Answer(__NR_ioctl, Int(file), 0x8914, $0).outcome("ioctl SIOCSIFFLAGS")
        }
    }
}
