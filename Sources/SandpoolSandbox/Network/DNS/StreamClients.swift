import Glibc
import LinuxSystem

/// Sandboxes that ask by TCP: messages with two bytes of length before each (RFC 1035 §4.2.2), one question of
/// a connection at a time.
final class StreamClients {
    private static let totalLimit = 64
    private static let sandboxLimit = 4
    private static let queryLimit = 4_096
    private static let idleMs: UInt64 = 10_000

    private final class Client {
        let socket: FileDescriptor
        let address: UInt32
        var received: [UInt8] = []
        var timer: EventLoop.TimerToken?

        init(socket: FileDescriptor, address: UInt32) {
            self.socket = socket
            self.address = address
        }
    }

    typealias Reply = ([UInt8]) -> Void

    private let listener: FileDescriptor
    private let asker: UInt32?
    private let loop: EventLoop
    private let handle: (_ message: [UInt8], _ address: UInt32, _ reply: @escaping Reply) -> Void
    private var clients: [UInt64: Client] = [:]
    private var lastNumber: UInt64 = 0

    /// - Parameter asker: whose listener it is; nil where each client's address tells who it is.
    init(
        listener: FileDescriptor, asker: UInt32?, loop: EventLoop,
        handle: @escaping (_ message: [UInt8], _ address: UInt32, _ reply: @escaping Reply) -> Void
    ) throws {
        self.listener = listener
        self.asker = asker
        self.loop = loop
        self.handle = handle
        try loop.watch(listener, .readable) { [unowned self] in accept() }
    }

    func stop() {
        loop.forget(listener)
        for number in Array(clients.keys) { drop(number) }
    }

    private func accept() {
        var peer = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let raw = withUnsafeMutablePointer(to: &peer) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.accept(listener.raw, $0, &length) }
        }
        guard raw >= 0 else { return }
        let socket = FileDescriptor(owning: raw)
        guard let address = asker ?? SocketAddress(peer)?.ipv4Address, clients.count < Self.totalLimit,
            clients.values.count(where: { $0.address == address }) < Self.sandboxLimit,
            (try? socket.setNonBlocking()) != nil
        else { return }
        // A whole answer fits, so that a client that does not read cannot hold one up here.
        var size: Int32 = 1 << 17
        setsockopt(raw, SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        lastNumber += 1
        let number = lastNumber
        let client = Client(socket: socket, address: address)
        guard (try? loop.watch(socket, .readable) { [unowned self] in read(number) }) != nil else { return }
        clients[number] = client
        arm(number, client)
    }

    private func read(_ number: UInt64) {
        guard let client = clients[number] else { return }
        var buffer = [UInt8](repeating: 0, count: Self.queryLimit + 2)
        let count = recv(client.socket.raw, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        if count < 0, errno == EAGAIN || errno == EINTR { return }
        guard count > 0, client.received.count + count <= 2 * buffer.count else { return drop(number) }
        client.received += buffer[..<count]
        handleNext(number, client)
    }

    private func handleNext(_ number: UInt64, _ client: Client) {
        guard let length = DNS.uint16(client.received, at: 0) else { return }
        guard length > 0, length <= Self.queryLimit else { return drop(number) }
        guard client.received.count >= 2 + Int(length) else { return }
        let message = Array(client.received[2..<2 + Int(length)])
        client.received.removeFirst(2 + Int(length))
        // Not read again before this one is answered.
        guard (try? loop.change(client.socket, [])) != nil else { return drop(number) }
        arm(number, client)
        handle(message, client.address) { [unowned self] in reply($0, to: number) }
    }

    private func reply(_ message: [UInt8], to number: UInt64) {
        guard let client = clients[number] else { return }
        let bytes = [UInt8(message.count >> 8), UInt8(message.count & 0xff)] + message
        let flags = Int32(MSG_DONTWAIT | MSG_NOSIGNAL)
        guard send(client.socket.raw, bytes, bytes.count, flags) == bytes.count,
            (try? loop.change(client.socket, .readable)) != nil
        else { return drop(number) }
        arm(number, client)
        // What came meanwhile, in its own turn: many small questions must not nest.
        loop.afterEvents { [unowned self] in
            if let client = clients[number] { handleNext(number, client) }
        }
    }

    private func arm(_ number: UInt64, _ client: Client) {
        if let timer = client.timer { loop.cancel(timer) }
        client.timer = loop.schedule(at: BoottimeClock.milliseconds() + Self.idleMs) { [unowned self] in
            drop(number)
        }
    }

    private func drop(_ number: UInt64) {
        guard let client = clients.removeValue(forKey: number) else { return }
        if let timer = client.timer { loop.cancel(timer) }
        loop.forget(client.socket)
    }
}
