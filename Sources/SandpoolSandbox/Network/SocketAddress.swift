import Glibc

/// An address of a datagram or stream socket as the system calls take it.
struct SocketAddress: Hashable {
    /// The bytes of a `sockaddr_in` or `sockaddr_in6`.
    private let bytes: [UInt8]

    /// - Parameter address: in host order.
    static func ipv4(_ address: UInt32, port: UInt16) -> SocketAddress {
        var value = sockaddr_in()
        value.sin_family = sa_family_t(AF_INET)
        value.sin_port = port.bigEndian
        value.sin_addr.s_addr = address.bigEndian
        return SocketAddress(bytes: withUnsafeBytes(of: value, Array.init))
    }

    static func ipv6(_ address: in6_addr, scope: UInt32, port: UInt16) -> SocketAddress {
        var value = sockaddr_in6()
        value.sin6_family = sa_family_t(AF_INET6)
        value.sin6_port = port.bigEndian
        value.sin6_addr = address
        value.sin6_scope_id = scope
        return SocketAddress(bytes: withUnsafeBytes(of: value, Array.init))
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    /// An address that the kernel filled in; nil unless it is IPv4.
    init?(_ value: sockaddr_in) {
        guard value.sin_family == sa_family_t(AF_INET) else { return nil }
        bytes = withUnsafeBytes(of: value, Array.init)
    }

    var family: Int32 { Int32(bytes.withUnsafeBytes { $0.loadUnaligned(as: sa_family_t.self) }) }

    /// The IPv4 address in host order; 0 for others.
    var ipv4Address: UInt32 {
        guard family == AF_INET else { return 0 }
        return UInt32(bigEndian: bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 4, as: UInt32.self) })
    }

    /// Hands the address to a system call.
    func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        var storage = sockaddr_storage()
        withUnsafeMutableBytes(of: &storage) { $0.copyBytes(from: bytes) }
        return withUnsafePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(bytes.count)) }
        }
    }
}
