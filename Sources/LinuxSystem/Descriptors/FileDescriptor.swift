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

    /// Whether it stays open over execve(2), of an open one known by its number.
    public static func setInherited(_ raw: Int32, _ isInherited: Bool) throws(SystemError) {
        try systemCall("fcntl F_SETFD \(raw)") { fcntl(raw, F_SETFD, isInherited ? 0 : FD_CLOEXEC) }
    }

    public func setNonBlocking() throws(SystemError) {
        let flags = try systemCall("fcntl F_GETFL") { fcntl(raw, F_GETFL) }
        try systemCall("fcntl F_SETFL") { fcntl(raw, F_SETFL, flags | O_NONBLOCK) }
    }
}
