import Glibc
import LinuxSystem

/// Accepts workers on a Unix socket, one at a time, of one user or root.
final class LauncherListener {
    let socket: SeqPacketSocket
    private let path: String
    private let peerUser: UInt32
    private let service: LauncherService
    private let loop: EventLoop
    private var refused: [Int32: SeqPacketSocket] = [:]
    private static let refusedLimit = 64
    private static let pauseMs: UInt64 = 100

    /// - Parameter known: at which the program before in this process listened, if there was one.
    init(
        path: String, peerUser: UInt32?, service: LauncherService, loop: EventLoop, takingOver known: SeqPacketSocket?
    ) throws(SystemError) {
        self.path = path
        self.peerUser = peerUser ?? geteuid()
        self.service = service
        self.loop = loop
        if let known {
            socket = known
            try watch()
            return
        }
        // The data directory's lock is held: whoever bound it before is gone.
        unlink(path)
        socket = try SeqPacketSocket.listen(path: path, mode: 0o600)
        if let peerUser { try systemCall("chown \(path)") { chown(path, peerUser, gid_t.max) } }
        try watch()
    }

    deinit { unlink(path) }

    private func accept() {
        do throws(SystemError) {
            let peer = try socket.accept()
            let user = try peer.peerUser()
            guard user == peerUser || user == 0 else {
                return try refuse(peer, "user \(user) may not use this launcher")
            }
            guard !service.hasWorker else { return try refuse(peer, "another worker is connected") }
            try service.serve(peer)
        } catch {
            Diagnostics.write("accept: \(error)")
            if error.code == EMFILE || error.code == ENFILE { pause() }
        }
    }

    /// Who waits stays readable: without descriptors to take him in, the loop would turn for nothing else.
    private func pause() {
        loop.forget(socket.descriptor)
        _ = loop.schedule(at: BoottimeClock.milliseconds() + Self.pauseMs) { [unowned self] in
            do throws(SystemError) { try watch() } catch { pause() }
        }
    }

    private func watch() throws(SystemError) {
        try loop.watch(socket.descriptor, .readable) { [unowned self] in accept() }
    }

    /// Answers the first request: a socket closed with something unread in it takes the answer along.
    private func refuse(_ peer: SeqPacketSocket, _ why: String) throws(SystemError) {
        guard refused.count < Self.refusedLimit else { return }
        let key = peer.descriptor.raw
        try loop.watch(peer.descriptor, .readable) { [unowned self] in
            _ = try? peer.receive(limit: LauncherProtocol.messageLimit, waiting: false)
            try? peer.send(LauncherEvent.refused(message: why).encoded(), waiting: false)
            loop.forget(peer.descriptor)
            refused[key] = nil
        }
        refused[key] = peer
    }
}
