import Glibc

/// An open file that closes when its last reference goes.
public final class FileDescriptor: Sendable {
    public let raw: Int32

    /// Takes over an open descriptor.
    public init(owning raw: Int32) { self.raw = raw }

    deinit { close(raw) }

    /// Another descriptor of the same open file, close-on-exec.
    public func duplicate() throws(SystemError) -> FileDescriptor {
        FileDescriptor(owning: try systemCall("fcntl F_DUPFD_CLOEXEC") { fcntl(raw, F_DUPFD_CLOEXEC, 3) })
    }

    public func setNonBlocking() throws(SystemError) {
        let flags = try systemCall("fcntl F_GETFL") { fcntl(raw, F_GETFL) }
        try systemCall("fcntl F_SETFL") { fcntl(raw, F_SETFL, flags | O_NONBLOCK) }
    }
}
