import Glibc
import LinuxSystem

/// The launcher's end of its connection to the process on the host's side. Nothing here waits: what is to end and does
/// not fit is kept until it does, and meanwhile nothing is connected, so that is as much as there are networks at most.
final class HostSideLine {
    /// Room for some thousand messages, where the host allows it (net.core.wmem_max).
    static let buffers: Int32 = 1 << 20
    /// For how long a process that takes nothing keeps its pastas.
    static let patienceMs: UInt64 = 10_000

    /// What its owner does.
    struct Handlers {
        /// There is something to receive.
        var heard: () -> Void
        /// There is room again.
        var eased: () -> Void
        /// The process cannot be told anything any more.
        var lost: () -> Void
    }

    private let socket: SeqPacketSocket
    private let patienceMs: UInt64
    private var loop: EventLoop?
    private var handlers: Handlers?
    /// Tokens, in no order: of each the start was told before.
    private var untold: [UInt64] = []
    private var deadline: EventLoop.TimerToken?
    /// Whether there was no room for the last message.
    private(set) var isFull = false

    /// - Parameter patienceMs: milliseconds.
    init(_ socket: SeqPacketSocket, patienceMs: UInt64 = HostSideLine.patienceMs) {
        self.socket = socket
        self.patienceMs = patienceMs
        socket.setBuffers(Self.buffers)
    }

    func listen(in loop: EventLoop, _ handlers: Handlers) throws(SystemError) {
        try loop.watch(socket.descriptor, .readable) { [unowned self] in
            if isFull { catchUp() }
            // Whoever eased or lost it may have closed it.
            self.handlers?.heard()
        }
        self.loop = loop
        self.handlers = handlers
    }

    func close() {
        deadline.map { loop?.cancel($0) }
        loop?.forget(socket.descriptor)
        (deadline, loop, handlers, untold, isFull) = (nil, nil, nil, [], false)
    }

    /// What it has told; EAGAIN where that is nothing, nil at the end.
    func receive() throws(SystemError) -> SeqPacketSocket.Message? {
        try socket.receive(limit: HostSideEvent.sizeLimit, waiting: false)
    }

    /// - Throws: EAGAIN where there is no room; `eased` tells when there is.
    func tell(_ command: HostSideCommand, _ descriptors: [FileDescriptor]) throws(SystemError) {
        if isFull { throw SystemError("sendmsg", code: EAGAIN) }
        do throws(SystemError) { try socket.send(command.encoded, descriptors, waiting: false) } catch {
            if error.code == EAGAIN { awaitRoom() }
            throw error
        }
    }

    /// Tells it at once or when there is room.
    func tellEnd(of token: UInt64) {
        do throws(SystemError) { try tell(.disconnect(token: token), []) } catch {
            if error.code == EAGAIN { untold.append(token) } else { handlers?.lost() }
        }
    }

    private func awaitRoom() {
        isFull = true
        do throws(SystemError) { try loop?.change(socket.descriptor, [.readable, .writable]) } catch {
            handlers?.lost()
        }
        deadline = deadline ?? loop?.schedule(at: BoottimeClock.milliseconds() + patienceMs) { [unowned self] in
            deadline = nil
            handlers?.lost()
        }
    }

    private func catchUp() {
        isFull = false
        let before = untold.count
        while !isFull, let token = untold.popLast() { tellEnd(of: token) }
        // It took something, so it is given time again.
        if untold.count < before || !isFull {
            deadline.map { loop?.cancel($0) }
            deadline = nil
        }
        if isFull { return awaitRoom() }
        do throws(SystemError) { try loop?.change(socket.descriptor, .readable) } catch { handlers?.lost() }
        handlers?.eased()
    }
}
