import Glibc

/// Tells that IPv4 addresses of a net namespace came or went (rtnetlink(7), RTMGRP_IPV4_IFADDR): of the one that its
/// thread was in when it was made.
public struct AddressChanges: Sendable {
    /// Readable when there was a change.
    public let descriptor: FileDescriptor

    /// `struct sockaddr_nl` has three numbers after the family: padding, port and groups.
    private static let addressSize = 12
    private static let groups: UInt32 = 0x10
    /// Datagrams taken in one go; the next ones make the descriptor readable again.
    private static let burst = 1_024

    public init() throws(SystemError) {
        let kind = Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let socket = FileDescriptor(
            owning: try systemCall("socket AF_NETLINK") {
                Glibc.socket(AF_NETLINK, kind, NetlinkSocket.Family.route.rawValue)
            })
        var address = sockaddr_storage()
        withUnsafeMutableBytes(of: &address) { bytes in
            bytes.storeBytes(of: sa_family_t(AF_NETLINK), as: sa_family_t.self)
            bytes.storeBytes(of: Self.groups, toByteOffset: 8, as: UInt32.self)
        }
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket.raw, $0, socklen_t(Self.addressSize)) == 0 ? 0 : errno
            }
        }
        guard bound == 0 else { throw SystemError("bind AF_NETLINK", code: bound) }
        descriptor = socket
    }

    /// Throws away what is there. That some did not fit (ENOBUFS) is a change as well, and is told once.
    public func drain() {
        var byte: UInt8 = 0
        for _ in 0..<Self.burst where recv(descriptor.raw, &byte, 1, 0) < 0 {
            if errno == EAGAIN { return }
        }
    }
}
