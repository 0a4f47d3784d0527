import Glibc

/// A netlink socket (netlink(7)). It belongs to the network namespace that its thread was in when it was
/// made, stays there whatever the thread does later, and keeps that namespace alive until it is closed.
public final class NetlinkSocket {
    public enum Family: Int32, Sendable {
        case route = 0
        case netfilter = 12
    }

    private static let errorType: UInt16 = 2
    private static let doneType: UInt16 = 3
    /// The kernel builds dump messages of at most 32 KiB for a reader that offers as much.
    private static let bufferSize = 32_768
    /// Bound on one dump, far over what a host with thousands of links says.
    private static let dumpLimit = 64 << 20
    /// The kernel answers within the call that sends; this only keeps a surprise from blocking for ever.
    private static let answerSeconds = 5

    public let file: FileDescriptor
    private var descriptor: Int32 { file.raw }
    private var sequence: UInt32 = 0

    public init(_ family: Family) throws(SystemError) {
        file = FileDescriptor(
            owning: try systemCall("socket AF_NETLINK") {
                socket(AF_NETLINK, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), family.rawValue)
            })
        var timeout = timeval(tv_sec: Self.answerSeconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        // 1 MiB either way: a batch of set elements must fit the send buffer in one piece.
        var size: Int32 = 1 << 20
        setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        if family == .route { try checkStrictly() }
    }

    /// One that was made and set up before.
    public init(_ file: FileDescriptor) { self.file = file }

    /// Dumps hold only what the request's header says, such as the routes of one table (netlink(7),
    /// NETLINK_GET_STRICT_CHK, Linux 4.20): a host may have a million others.
    private func checkStrictly() throws(SystemError) {
        let (level, strictCheck): (Int32, Int32) = (270, 12)
        var isOn: Int32 = 1
        try systemCall("setsockopt NETLINK_GET_STRICT_CHK") {
            setsockopt(descriptor, level, strictCheck, &isOn, socklen_t(MemoryLayout<Int32>.size))
        }
    }

    /// Sends the messages in one datagram and waits for the last one's acknowledgement.
    ///
    /// Every failed message is answered, acknowledged or not; the first failure is thrown with `stage`.
    /// rtnetlink goes on after a failed message, an nfnetlink batch takes effect whole or not at all.
    ///
    /// - Parameter replied: gets what the kernel answers besides acknowledgements.
    public func execute(
        _ messages: [NetlinkMessage], stage: String, acknowledgedIndex: Int? = nil,
        replied: (NetlinkReply) -> Void = { _ in }
    ) throws {
        let acknowledged = acknowledgedIndex ?? messages.count - 1
        let first = sequence &+ 1
        var bytes: [UInt8] = []
        for (index, message) in messages.enumerated() {
            guard !message.isTooLong else { throw SystemError(stage, code: EMSGSIZE) }
            sequence &+= 1
            var message = message
            if index == acknowledged { message.flags.insert(.ack) }
            bytes += message.encoded(sequence: sequence)
        }
        try transmit(bytes, stage: stage)
        let awaited = first &+ UInt32(acknowledged)
        var failure: Int32 = 0
        var isAnswered = false
        while !isAnswered {
            try receive(stage: stage) { reply, sequence in
                guard reply.type == Self.errorType else { return replied(reply) }
                let code = -Int32(bitPattern: reply.uint32(at: 0))
                if code != 0, failure == 0 { failure = code }
                // A batch that is refused as a whole is answered at its begin alone.
                if sequence == awaited || (code != 0 && sequence == first) { isAnswered = true }
            }
        }
        if failure != 0 { throw SystemError(stage, code: failure) }
    }

    /// Asks for everything of a kind and hands each message of the answer to `body`.
    public func dump(_ message: NetlinkMessage, stage: String, _ body: (NetlinkReply) -> Void) throws {
        sequence &+= 1
        var message = message
        message.flags.insert(.dump)
        try transmit(message.encoded(sequence: sequence), stage: stage)
        var failure: Int32 = 0
        var isDone = false
        var received = 0
        while !isDone {
            received += try receive(stage: stage) { reply, answered in
                guard answered == sequence else { return }
                switch reply.type {
                case Self.doneType: isDone = true
                case Self.errorType:
                    failure = -Int32(bitPattern: reply.uint32(at: 0))
                    isDone = true
                default: body(reply)
                }
            }
            guard received <= Self.dumpLimit else { throw SystemError(stage, code: EMSGSIZE) }
        }
        if failure != 0 { throw SystemError(stage, code: failure) }
    }

    private func transmit(_ bytes: [UInt8], stage: String) throws {
        // A netlink socket's default destination is the kernel.
        while send(descriptor, bytes, bytes.count, 0) < 0 {
            guard errno == EINTR else { throw SystemError(stage, code: errno) }
        }
    }

    /// Reads one datagram and hands on its messages; answers its size.
    @discardableResult
    private func receive(stage: String, _ body: (NetlinkReply, UInt32) -> Void) throws -> Int {
        var buffer = [UInt8](repeating: 0, count: Self.bufferSize)
        var count = recv(descriptor, &buffer, buffer.count, 0)
        while count < 0, errno == EINTR { count = recv(descriptor, &buffer, buffer.count, 0) }
        guard count >= 0 else { throw SystemError(stage, code: errno == EAGAIN ? ETIMEDOUT : errno) }
        for (reply, sequence) in NetlinkDatagram(buffer[..<count]) { body(reply, sequence) }
        return count
    }
}
