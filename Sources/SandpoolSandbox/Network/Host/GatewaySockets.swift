import Glibc
import LinuxSystem

/// The DNS forwarder's sockets at the address where sandboxes ask, bound by the launcher because port 53 takes root.
struct GatewaySockets {
    static let port: UInt16 = 53
    private static let backlog: Int32 = 64
    /// Binding comes first, as the claim on the range; the address itself follows (ip(7)).
    private static let freeBind: Int32 = 15

    let datagram: FileDescriptor
    let stream: FileDescriptor

    /// As they came from another process; nil for another number of them.
    init?(_ received: some Collection<FileDescriptor>) {
        let received = Array(received)
        guard received.count == 2 else { return nil }
        datagram = received[0]
        stream = received[1]
    }

    var descriptors: [FileDescriptor] { [datagram, stream] }

    /// Nil when another process holds the port there.
    init?(address: UInt32) throws(SystemError) {
        guard let datagram = try Self.bound(SOCK_DGRAM, address), let stream = try Self.bound(SOCK_STREAM, address)
        else { return nil }
        self.datagram = datagram
        self.stream = stream
        try systemCall("listen") { listen(stream.raw, Self.backlog) }
        try datagram.setNonBlocking()
        try stream.setNonBlocking()
    }

    private static func bound(_ type: __socket_type, _ address: UInt32) throws(SystemError) -> FileDescriptor? {
        let kind = Int32(type.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let socket = FileDescriptor(owning: try systemCall("socket") { Glibc.socket(AF_INET, kind, 0) })
        var yes: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        try systemCall("setsockopt IP_FREEBIND") {
            setsockopt(socket.raw, Int32(IPPROTO_IP), freeBind, &yes, size)
        }
        // Connections of an earlier launcher that still close must not keep this one from listening.
        if type == SOCK_STREAM { setsockopt(socket.raw, SOL_SOCKET, SO_REUSEADDR, &yes, size) }
        let name = SocketAddress.ipv4(address, port: port)
        if name.withPointer({ bind(socket.raw, $0, $1) }) == 0 { return socket }
        guard errno == EADDRINUSE else {
            throw SystemError("bind \(IPv4Address.text(address)):\(port)", code: errno)
        }
        return nil
    }
}
