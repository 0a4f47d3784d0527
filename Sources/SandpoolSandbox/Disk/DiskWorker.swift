import Glibc
import LinuxSystem

/// A child of the launcher that does one thing which takes longer than deadlines may wait, such as formatting, and
/// hands over what it made. It is gone when the launcher is.
enum DiskWorker {
    /// What came of it: descriptors, or the system call that failed.
    typealias Outcome = Result<[FileDescriptor], SystemError>

    /// The message of one that succeeded. An empty one cannot be told from the end.
    private static let success: [UInt8] = [0]

    /// Runs `body` in a child that has nothing open but `kept`; `done` is called on the launcher's thread.
    static func run(
        keeping kept: [FileDescriptor], _ loop: EventLoop, _ body: () throws(SystemError) -> [FileDescriptor],
        then done: @escaping (Outcome) -> Void
    ) throws(SystemError) {
        let (own, theirs) = try SeqPacketSocket.pair()
        let child = try ChildProcess.clone {
            try? ProcessControl.killWhenParentEnds()
            // What else the launcher has open, such as the input of a sandbox, would not end while this runs.
            ProcessControl.closeAll(except: kept + [theirs.descriptor])
            do throws(SystemError) { try theirs.send(success, try body()) } catch {
                var writer = ByteWriter()
                writer.write(UInt32(bitPattern: error.code))
                writer.write(error.operation)
                try? theirs.send(writer.bytes)
            }
            _exit(0)
        }
        try loop.watch(child.descriptor, .readable) {
            loop.forget(child.descriptor)
            _ = try? child.reap()
            done(outcome(from: own))
        }
    }

    /// Ends the life of a mount: what was written to it may have to go to the disk first, and its blocks be freed.
    ///
    /// The child does so when the launcher, at the end of this round of events, has closed its own descriptor: then
    /// the child's is the last.
    static func release(_ mount: Mount, _ loop: EventLoop) {
        do throws(SystemError) {
            let launcher = try Pipe()
            let child = try ChildProcess.clone {
                try? ProcessControl.killWhenParentEnds()
                ProcessControl.closeAll(except: [mount.descriptor, launcher.readEnd])
                var byte: UInt8 = 0
                while read(launcher.readEnd.raw, &byte, 1) < 0, errno == EINTR {}
                _exit(0)
            }
            let writeEnd = launcher.writeEnd
            loop.afterEvents { withExtendedLifetime(writeEnd) {} }
            try loop.reapAtEnd(child)
        } catch {
            Diagnostics.write("disk: \(error)")
        }
    }

    private static func outcome(from socket: SeqPacketSocket) -> Outcome {
        do throws(SystemError) {
            guard let message = try socket.receive(limit: 4_096, waiting: false) else {
                return .failure(SystemError("a child of the launcher was killed", code: EIO))
            }
            if message.lostDescriptors { return .failure(SystemError("recvmsg", code: EMFILE)) }
            if message.bytes == success { return .success(message.descriptors) }
            var reader = ByteReader(message.bytes)
            guard let code: UInt32 = try? reader.read(), let operation = try? reader.readString() else {
                return .failure(SystemError("a child of the launcher", code: EBADMSG))
            }
            return .failure(SystemError(operation, code: Int32(bitPattern: code)))
        } catch {
            return .failure(error)
        }
    }
}
