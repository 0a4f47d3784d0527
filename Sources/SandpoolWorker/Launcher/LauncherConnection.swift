import Glibc
import LinuxSystem
import SandpoolSandbox

/// The socket to the launcher and the socket that tells of output, on the core's thread.
///
/// Nothing here waits: what the launcher has no room for yet is queued, within a bound.
final class LauncherConnection {
    enum Input {
        case event(LauncherEvent, [FileDescriptor])
        case progress(SpoolProgress)
        /// The connection is gone, for this reason. Nothing follows.
        case closed(String)
    }

    /// Requests that may wait for the launcher to take them. Each attempt has a few at most.
    static let queueLimit = 65_536
    /// Messages taken in one turn, so that a talkative sandbox cannot keep the thread from others.
    private static let turnLimit = 256
    private static let bufferBytes: Int32 = 1 << 20

    private let socket: SeqPacketSocket
    private let events: EventLoop
    private let handle: (Input) -> Void
    private var progressSocket: SeqPacketSocket?
    private var waiting: [(bytes: [UInt8], descriptors: [FileDescriptor])] = []
    /// What the spooler had no room for yet, the newest of each.
    private var untold: [String: SpoolProgress] = [:]
    private var isOpen = true

    init(_ socket: SeqPacketSocket, on events: EventLoop, _ handle: @escaping (Input) -> Void) throws {
        self.socket = socket
        self.events = events
        self.handle = handle
        socket.setBuffers(Self.bufferBytes)
        try events.watch(socket.descriptor, .readable) { [unowned self] in receive() }
    }

    /// Sends a request, or queues it behind those that wait.
    func send(_ request: LauncherRequest, _ descriptors: [FileDescriptor] = []) {
        guard isOpen else { return }
        let bytes = request.encoded()
        guard waiting.isEmpty else {
            guard waiting.count < Self.queueLimit else { return close("it takes no requests any more") }
            return waiting.append((bytes, descriptors))
        }
        do {
            try socket.send(bytes, descriptors, waiting: false)
        } catch  where error.code == EAGAIN {
            waiting.append((bytes, descriptors))
            try? events.change(socket.descriptor, [.readable, .writable])
        } catch {
            close(error.description)
        }
    }

    /// Tells the spooler how much of a further command's output is not needed any more.
    func tellRead(_ progress: SpoolProgress) {
        guard progressSocket != nil else { return }
        untold[progress.id] = progress
        if untold.count == 1 { tellUntold() }
    }

    private func tellUntold() {
        guard let socket = progressSocket else { return }
        for (id, progress) in untold {
            do throws(SystemError) {
                try socket.send(progress.encoded(), waiting: false)
                untold[id] = nil
            } catch {
                // A spooler that is gone shows at the other socket: its launcher ends with it.
                if error.code != EAGAIN { untold = [:] }
                break
            }
        }
        try? events.change(socket.descriptor, untold.isEmpty ? .readable : [.readable, .writable])
    }

    func close(_ reason: String) {
        guard isOpen else { return }
        isOpen = false
        events.forget(socket.descriptor)
        // Now, not when the last reference goes: the launcher takes one worker at a time.
        shutdown(socket.descriptor.raw, Int32(SHUT_RDWR))
        if let progressSocket { events.forget(progressSocket.descriptor) }
        (waiting, untold) = ([], [:])
        // Later, so that nobody is told while it is in the middle of a request.
        events.afterEvents { [handle] in handle(.closed(reason)) }
    }

    private func sendWaiting() throws(SystemError) {
        var sent = 0
        defer { waiting.removeFirst(sent) }
        for (bytes, descriptors) in waiting {
            do throws(SystemError) {
                try socket.send(bytes, descriptors, waiting: false)
            } catch  where error.code == EAGAIN {
                return
            }
            sent += 1
        }
        try events.change(socket.descriptor, .readable)
    }

    private func receive() {
        do {
            if !waiting.isEmpty { try sendWaiting() }
            for _ in 0..<Self.turnLimit {
                let received = try socket.receive(limit: LauncherProtocol.messageLimit, waiting: false)
                guard let message = received else { return close("it closed the connection") }
                let event = try LauncherEvent(decoding: message.bytes)
                var descriptors = message.descriptors
                if case .welcome = event, !descriptors.isEmpty { try follow(descriptors.removeFirst()) }
                handle(.event(event, descriptors))
                guard isOpen else { return }
            }
        } catch let error as SystemError where error.code == EAGAIN {
            return
        } catch {
            close("\(error)")
        }
    }

    private func follow(_ descriptor: FileDescriptor) throws(SystemError) {
        let socket = SeqPacketSocket(descriptor)
        socket.setBuffers(Self.bufferBytes)
        progressSocket = socket
        try events.watch(descriptor, .readable) { [unowned self] in receiveProgress() }
    }

    /// Only the newest report of each sandbox counts, so a turn's worth is folded into one each.
    private func receiveProgress() {
        guard let socket = progressSocket else { return }
        if !untold.isEmpty { tellUntold() }
        var newest: [String: SpoolProgress] = [:]
        do {
            for _ in 0..<Self.turnLimit {
                guard let message = try socket.receive(limit: 512, waiting: false) else {
                    events.forget(socket.descriptor)
                    progressSocket = nil
                    break
                }
                let progress = try SpoolProgress(decoding: message.bytes)
                newest[progress.id] = progress
            }
        } catch let error as SystemError where error.code == EAGAIN {
            // Taken everything there was.
        } catch {
            return close("\(error)")
        }
        for progress in newest.values { handle(.progress(progress)) }
    }
}
