import Glibc
import LinuxSystem

/// Accepts workers on a Unix socket, one at a time, of one user or root.
final class LauncherListener {
    private let socket: SeqPacketSocket
    private let path: String
    private let peerUser: UInt32
    private let service: LauncherService

    init(path: String, peerUser: UInt32?, service: LauncherService, loop: EventLoop) throws(SystemError) {
        self.path = path
        self.peerUser = peerUser ?? geteuid()
        self.service = service
        // The data directory's lock is held: whoever bound it before is gone.
        unlink(path)
        socket = try SeqPacketSocket.listen(path: path, mode: 0o600)
        if let peerUser { try systemCall("chown \(path)") { chown(path, peerUser, gid_t.max) } }
        try loop.watch(socket.descriptor, .readable) { [unowned self] in accept() }
    }

    deinit { unlink(path) }

    private func accept() {
        do throws(SystemError) {
            let peer = try socket.accept()
            let user = try peer.peerUser()
            guard user == peerUser || user == 0 else { return refuse(peer, "user \(user) may not use this launcher") }
            guard !service.hasWorker else { return refuse(peer, "another worker is connected") }
            try service.serve(peer)
        } catch {
            Diagnostics.write("accept: \(error)")
        }
    }

    private func refuse(_ peer: SeqPacketSocket, _ why: String) {
        try? peer.send(LauncherEvent.refused(message: why).encoded(), waiting: false)
    }
}
