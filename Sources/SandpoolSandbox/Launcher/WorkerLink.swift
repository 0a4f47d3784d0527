import Glibc
import LinuxSystem

/// The connection to the worker: decodes what it asks and queues what it is told.
final class WorkerLink {
    let socket: SeqPacketSocket
    private let loop: EventLoop
    private var queue: [(bytes: [UInt8], descriptors: [FileDescriptor])] = []
    private var isOpen = true
    /// The worker is gone, but what it asked for before may not be read yet.
    private var isDeaf = false
    /// A worker that reads nothing for so long is taken for gone; it finds everything when it comes back.
    private static let queueLimit = 16_384
    /// The plan and the sink for downloads; more is refused.
    private static let descriptorLimit = 2

    var onRequest: (LauncherRequest, SeqPacketSocket.Message) -> Void = { _, _ in }
    var onClose: () -> Void = {}

    init(_ socket: SeqPacketSocket, _ loop: EventLoop) throws(SystemError) {
        self.socket = socket
        self.loop = loop
        socket.setBuffers(1 << 20)
        try loop.watch(socket.descriptor, .readable) { [unowned self] in ready() }
    }

    func send(_ event: LauncherEvent, _ descriptors: [FileDescriptor] = []) {
        guard isOpen, !isDeaf else { return }
        guard queue.count < Self.queueLimit else { return close("the worker does not read") }
        queue.append((event.encoded(), descriptors))
        if queue.count == 1 { flush() }
    }

    /// Whether the worker is still there: its end may not have been read yet.
    var isConnected: Bool {
        guard isOpen else { return false }
        var state = pollfd(fd: socket.descriptor.raw, events: 0, revents: 0)
        return poll(&state, 1, 0) == 0
    }

    /// Whether it was told all that there is to tell.
    var isUpToDate: Bool { queue.isEmpty }

    /// Takes what a worker that is gone asked for before it went: its sandboxes are the next worker's.
    func readToEnd() { while isOpen, !isConnected { ready() } }

    /// Ends the connection after what is queued, as far as the socket takes it.
    func close(_ why: String? = nil) {
        guard isOpen else { return }
        isOpen = false
        if let why { Diagnostics.write("worker: \(why)") }
        loop.forget(socket.descriptor)
        queue = []
        onClose()
    }

    private func ready() {
        if !queue.isEmpty { flush() }
        do {
            guard
                let message = try socket.receive(
                    limit: LauncherProtocol.messageLimit, descriptorLimit: Self.descriptorLimit, waiting: false)
            else { return close() }
            onRequest(try LauncherRequest(decoding: message.bytes), message)
        } catch let error as SystemError where error.code == EAGAIN || error.code == ECONNRESET {
            // The second is said once, when the worker went without reading all: what it sent can still be read.
            return
        } catch {
            send(.refused(message: "\(error)"))
            close("\(error)")
        }
    }

    private func flush() {
        while let next = queue.first {
            do throws(SystemError) {
                try socket.send(next.bytes, next.descriptors, waiting: false)
                queue.removeFirst()
            } catch {
                if error.code == EAGAIN || error.code == ETOOMANYREFS {
                    try? loop.change(socket.descriptor, [.readable, .writable])
                } else if error.code == EPIPE || error.code == ECONNRESET {
                    queue = []
                    isDeaf = true
                } else {
                    close("\(error)")
                }
                return
            }
        }
        try? loop.change(socket.descriptor, .readable)
    }
}
