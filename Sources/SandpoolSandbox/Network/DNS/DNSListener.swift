import Glibc
import LinuxSystem

/// Two sockets at which sandboxes ask, by datagram and by TCP.
final class DNSListener {
    /// A question, and how it is answered: with a message as it is, or in the size that its asker takes.
    struct Asked {
        var message: [UInt8]
        /// Whose it is.
        var address: UInt32
        var reply: ([UInt8]) -> Void
        var answer: (DNSQuery, UInt8, [DNS.Record]) -> Void
    }

    /// Datagrams read in one go before other descriptors have their turn.
    private static let burst = 32

    private let datagram: FileDescriptor
    private let asker: UInt32?
    private let loop: EventLoop
    private let handle: (Asked) -> Void
    private var streams: StreamClients?

    /// - Parameter asker: the address of the one sandbox that asks here, whatever address it asks from; nil where the
    ///   senders' addresses tell them apart.
    init(_ sockets: GatewaySockets, asker: UInt32?, loop: EventLoop, handle: @escaping (Asked) -> Void) throws {
        datagram = sockets.datagram
        self.asker = asker
        self.loop = loop
        self.handle = handle
        streams = try StreamClients(listener: sockets.stream, asker: asker, loop: loop) { message, client, reply in
            handle(
                Asked(message: message, address: client, reply: reply) { query, code, records in
                    reply(DNSResponse.message(query, code: code, records: records, limit: DNS.streamLimit))
                })
        }
        do { try loop.watch(datagram, .readable) { [unowned self] in readDatagrams() } } catch {
            streams?.stop()
            throw error
        }
    }

    /// It may be on the stack below: the caller keeps it until this round of events is over.
    func stop() {
        loop.forget(datagram)
        streams?.stop()
    }

    private func readDatagrams() {
        for _ in 0..<Self.burst where loop.isWatched(datagram) {
            var buffer = [UInt8](repeating: 0, count: DNS.extendedDatagramLimit)
            var sender = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let count = withUnsafeMutablePointer(to: &sender) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    recvfrom(datagram.raw, &buffer, buffer.count, Int32(MSG_DONTWAIT), $0, &length)
                }
            }
            guard count >= 0, let client = SocketAddress(sender) else { return }
            take(Array(buffer[..<count]), from: client)
        }
    }

    private func take(_ message: [UInt8], from client: SocketAddress) {
        // What does not fit the socket's buffer is lost, as datagrams are.
        let send = { [datagram] (bytes: [UInt8]) in
            _ = client.withPointer { sendto(datagram.raw, bytes, bytes.count, Int32(MSG_DONTWAIT), $0, $1) }
        }
        handle(
            Asked(message: message, address: asker ?? client.ipv4Address, reply: send) { query, code, records in
                let room = Int(query.datagramSize ?? 0)
                let limit = min(max(room, DNS.datagramLimit), DNS.extendedDatagramLimit)
                send(DNSResponse.message(query, code: code, records: records, limit: limit))
            })
    }
}
