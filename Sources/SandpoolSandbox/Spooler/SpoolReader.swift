import Glibc
import LinuxSystem

/// The spooler's end of the socket to the worker: there goes how much can be read, and back comes how much of further
/// commands' output was.
final class SpoolReader {
    private let socket: SeqPacketSocket
    private let loop: EventLoop
    private var isOpen = true
    /// Tokens of those whose last progress the worker could not take yet.
    private var untold: Set<UInt64> = []
    private var isFull = false
    /// Finds the command of a token.
    var entry: (UInt64) -> SpooledCommand? = { _ in nil }
    var onRead: (SpoolProgress) -> Void = { _ in }
    /// An id and two numbers.
    private static let messageLimit = 128

    init(_ socket: SeqPacketSocket, _ loop: EventLoop) throws(SystemError) {
        self.socket = socket
        self.loop = loop
        try loop.watch(socket.descriptor, .readable) { [unowned self] in ready() }
    }

    /// Tells how much can be read; when the socket is full, the latest state once it has room.
    func tell(_ command: SpooledCommand) {
        let now = command.streams.map(\.written)
        guard isOpen, !command.isMuted, now != command.told else { return }
        if isFull {
            untold.insert(command.token)
            return
        }
        let progress = SpoolProgress(id: command.id, stdoutBytes: now[0], stderrBytes: now[1])
        do throws(SystemError) {
            try socket.send(progress.encoded(), waiting: false)
            command.told = now
        } catch {
            guard error.code == EAGAIN else { return close() }
            untold.insert(command.token)
            isFull = true
            try? loop.change(socket.descriptor, [.readable, .writable])
        }
    }

    /// Nothing is told or heard any more.
    func close() {
        guard isOpen else { return }
        isOpen = false
        untold = []
        loop.forget(socket.descriptor)
    }

    private func ready() {
        if isFull { resumeTelling() }
        do {
            guard isOpen else { return }
            guard let message = try socket.receive(limit: Self.messageLimit, descriptorLimit: 0, waiting: false) else {
                return close()
            }
            onRead(try SpoolProgress(decoding: message.bytes))
        } catch let error as SystemError where error.code == EAGAIN {
            return
        } catch let error as SystemError where error.code == ECONNRESET {
            close()
        } catch {
            Diagnostics.write("spooler: the worker's word cannot be read: \(error)")
            close()
        }
    }

    private func resumeTelling() {
        isFull = false
        try? loop.change(socket.descriptor, .readable)
        let waiting = untold
        untold = []
        for token in waiting { entry(token).map(tell) }
    }
}
