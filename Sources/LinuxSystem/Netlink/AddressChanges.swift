import Glibc

/// Tells that a net namespace may take other IPv4 addresses for its own than before: that those of its interfaces
/// changed, or its local routes (rtnetlink(7), RTMGRP_IPV4_IFADDR and RTMGRP_IPV4_ROUTE). Of the namespace that its
/// thread was in when it was made.
public struct AddressChanges: Sendable {
    /// Readable when a route or an address changed.
    public let descriptor: FileDescriptor

    /// `struct sockaddr_nl` has three numbers after the family: padding, port and groups.
    private static let addressSize = 12
    private static let groups: UInt32 = 0x10 | 0x40
    /// Datagrams taken in one go; the next ones make the descriptor readable again.
    private static let burst = 1_024
    /// A notice is one message of some hundred bytes.
    private static let noticeSize = 8_192

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

    /// Takes the notices that are there; whether one of them is about the namespace's own addresses. Routes to others
    /// come and go by the thousand on some hosts. That some notices did not fit (ENOBUFS) may be such a change.
    public func take() -> Bool {
        var buffer = [UInt8](repeating: 0, count: Self.noticeSize)
        var isChanged = false
        for _ in 0..<Self.burst {
            let count = recv(descriptor.raw, &buffer, buffer.count, 0)
            if count < 0, errno == EAGAIN { break }
            guard count >= 0, count < buffer.count else {
                isChanged = true
                continue
            }
            if NetlinkDatagram(buffer[..<count]).contains(where: \.reply.isAboutOwnAddresses) { isChanged = true }
        }
        return isChanged
    }
}
