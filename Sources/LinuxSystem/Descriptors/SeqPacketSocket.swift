import CLinux
import Glibc

/// A SEQPACKET Unix socket: whole messages with descriptors beside them (unix(7), SCM_RIGHTS).
public struct SeqPacketSocket: Sendable {
    public let descriptor: FileDescriptor

    public struct Message: Sendable {
        public var bytes: [UInt8]
        public var descriptors: [FileDescriptor]
        /// Descriptors came and this process, at its own limit, could take none of them.
        public var lostDescriptors = false

        public init(bytes: [UInt8], descriptors: [FileDescriptor], lostDescriptors: Bool = false) {
            self.bytes = bytes
            self.descriptors = descriptors
            self.lostDescriptors = lostDescriptors
        }
    }

    public init(_ descriptor: FileDescriptor) { self.descriptor = descriptor }

    /// Two connected sockets.
    public static func pair() throws(SystemError) -> (SeqPacketSocket, SeqPacketSocket) {
        var ends: [Int32] = [-1, -1]
        try systemCall("socketpair") { socketpair(AF_UNIX, seqPacket, 0, &ends) }
        return (
            SeqPacketSocket(FileDescriptor(owning: ends[0])), SeqPacketSocket(FileDescriptor(owning: ends[1]))
        )
    }

    public static func connect(path: String) throws(SystemError) -> SeqPacketSocket {
        let socket = try make()
        try withAddress(path) { address, length throws(SystemError) in
            _ = try systemCall("connect \(path)") { Glibc.connect(socket.descriptor.raw, address, length) }
        }
        return socket
    }

    /// Binds and listens; an old socket at the path must have been removed. The file gets `mode`.
    public static func listen(path: String, mode: mode_t) throws(SystemError) -> SeqPacketSocket {
        let socket = try make()
        let mask = umask(0o777 & ~mode)
        defer { umask(mask) }
        try withAddress(path) { address, length throws(SystemError) in
            _ = try systemCall("bind \(path)") { bind(socket.descriptor.raw, address, length) }
        }
        try systemCall("listen \(path)") { Glibc.listen(socket.descriptor.raw, 8) }
        return socket
    }

    public func accept() throws(SystemError) -> SeqPacketSocket {
        SeqPacketSocket(FileDescriptor(owning: try systemCall("accept4") { CLinux_accept(descriptor.raw) }))
    }

    /// The user at the other end when it connected (SO_PEERCRED).
    public func peerUser() throws(SystemError) -> uid_t {
        var user: uid_t = 0
        try systemCall("getsockopt SO_PEERCRED") { CLinux_peer_user(descriptor.raw, &user) }
        return user
    }

    /// Room for messages under way, in bytes. Best effort: the kernel bounds it.
    public func setBuffers(_ bytes: Int32) {
        var bytes = bytes
        let size = socklen_t(MemoryLayout<Int32>.size)
        setsockopt(descriptor.raw, SOL_SOCKET, SO_SNDBUF, &bytes, size)
        setsockopt(descriptor.raw, SOL_SOCKET, SO_RCVBUF, &bytes, size)
    }

    /// Sends one message. With `waiting` false a full socket is EAGAIN. A peer that is gone is EPIPE.
    public func send(_ bytes: [UInt8], _ descriptors: [FileDescriptor] = [], waiting: Bool = true) throws(SystemError) {
        let raws = descriptors.map(\.raw)
        defer { withExtendedLifetime(descriptors) {} }
        try systemCall("sendmsg") {
            CLinux_send(descriptor.raw, bytes, bytes.count, raws, raws.count, waiting ? 0 : dontWait)
        }
    }

    /// Receives one message, nil at the end of the connection. One that is longer than `limit` or carries
    /// more than `descriptorLimit` descriptors is EMSGSIZE; nothing of it is kept.
    public func receive(limit: Int, descriptorLimit: Int = 8, waiting: Bool = true) throws(SystemError) -> Message? {
        var raws = [Int32](repeating: -1, count: descriptorLimit)
        var rawCount = raws.count
        var failure: SystemError?
        var count = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, initialized in
            do throws(SystemError) {
                count = try systemCall("recvmsg") {
                    rawCount = raws.count
                    return CLinux_receive(
                        descriptor.raw, buffer.baseAddress, limit, &raws, &rawCount, waiting ? 0 : dontWait)
                }
            } catch { failure = error }
            initialized = count
        }
        if let failure { throw failure }
        if count == 0 && rawCount == 0 { return nil }
        if rawCount == CLinux_descriptors_lost { return Message(bytes: bytes, descriptors: [], lostDescriptors: true) }
        return Message(bytes: bytes, descriptors: raws[..<rawCount].map { FileDescriptor(owning: $0) })
    }

    private static let seqPacket = Int32(SOCK_SEQPACKET.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    private var dontWait: Int32 { Int32(MSG_DONTWAIT) }

    private static func make() throws(SystemError) -> SeqPacketSocket {
        SeqPacketSocket(FileDescriptor(owning: try systemCall("socket") { socket(AF_UNIX, seqPacket, 0) }))
    }

    private static func withAddress(
        _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) throws(SystemError) -> Void
    ) throws(SystemError) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        guard !bytes.isEmpty, bytes.count < room else { throw SystemError("socket path \(path)", code: ENAMETOOLONG) }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        var failure: SystemError?
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                do throws(SystemError) {
                    try body(generic, socklen_t(MemoryLayout<sockaddr_un>.size))
                } catch { failure = error }
            }
        }
        if let failure { throw failure }
    }
}
