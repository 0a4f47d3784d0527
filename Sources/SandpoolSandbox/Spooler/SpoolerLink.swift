import Glibc
import LinuxSystem

/// The launcher's side of the spooler.
final class SpoolerLink {
    let socket: SeqPacketSocket
    let process: ChildProcess
    var onAnswer: (SpoolerAnswer) -> Void = { _ in }

    init(_ loop: EventLoop, _ rights: HostRights) throws(SystemError) {
        let (own, theirs) = try SeqPacketSocket.pair()
        own.setBuffers(4 << 20)
        theirs.setBuffers(4 << 20)
        process = try ChildProcess.clone {
            guard let kept = try? theirs.descriptor.keepAlone() else { _exit(1) }
            Spooler.run(SeqPacketSocket(kept), rights)
        }
        socket = own
        try loop.watch(own.descriptor, .readable) { [unowned self] in receive() }
    }

    /// One that the program before started; it stays what it was.
    init(takingOver process: ChildProcess, _ socket: SeqPacketSocket, _ loop: EventLoop) throws(SystemError) {
        self.process = process
        self.socket = socket
        try loop.watch(socket.descriptor, .readable) { [unowned self] in receive() }
    }

    /// - Parameter pipes: the read ends of standard output and standard error.
    func open(_ command: RunningCommand, pipes: [FileDescriptor]) throws(SystemError) {
        let request = SpoolerRequest.open(
            token: command.token, id: command.id, limit: command.outputBytes, sandbox: command.sandboxToken,
            cpuMillis: command.cpuMillis, backlog: command.ring?.backlogBytes ?? 0)
        let files = [try command.standardOutput.openForWriting(), try command.standardError.openForWriting()]
        try socket.send(request.encoded(), pipes + files)
    }

    func finish(token: UInt64) throws(SystemError) {
        try socket.send(SpoolerRequest.finish(token: token).encoded())
    }

    func mute(token: UInt64) throws(SystemError) { try socket.send(SpoolerRequest.mute(token: token).encoded()) }

    func notify(_ worker: FileDescriptor) throws(SystemError) {
        try socket.send(SpoolerRequest.notify.encoded(), [worker])
    }

    private func receive() {
        do {
            guard let message = try socket.receive(limit: 4_096, waiting: false) else {
                // Without it no output can be kept: better to end, and every sandbox with it, than to lie.
                Diagnostics.write("the spooler ended")
                exit(1)
            }
            onAnswer(try SpoolerAnswer(decoding: message.bytes))
        } catch let error as SystemError where error.code == EAGAIN {
            return
        } catch {
            Diagnostics.write("spooler's answer: \(error)")
        }
    }
}

extension FileDescriptor {
    /// Closes every other descriptor of this process but the standard ones, in a fresh child; the result takes
    /// the place of this one.
    func keepAlone() throws(SystemError) -> FileDescriptor {
        let kept: Int32 = 3
        if raw != kept { try systemCall("dup2") { dup2(raw, kept) } }
        ProcessControl.closeAll(from: kept + 1)
        return FileDescriptor(owning: kept)
    }
}
