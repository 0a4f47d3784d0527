import Glibc
import NIOCore

/// A file without a name that is gone with its last user, however the process ends (open(2), O_TMPFILE).
final class TemporaryFile: Sendable {
    let descriptor: Int32

    init() throws(SandpoolError) {
        // Archives are large and /tmp is memory on many hosts.
        let directory = getenv("TMPDIR").map { String(cString: $0) } ?? "/var/tmp"
        descriptor = open(directory, O_RDWR | O_CLOEXEC | Self.unnamed, 0o600)
        guard descriptor >= 0 else { throw .file("make a temporary file in \(directory)", errno) }
    }

    /// __O_TMPFILE and O_DIRECTORY of asm-generic/fcntl.h; the macro that joins them is not imported.
    private static let unnamed: Int32 = 0o20000000 | O_DIRECTORY

    deinit { close(descriptor) }

    /// Appends bytes.
    func write(_ bytes: ByteBuffer) throws(SandpoolError) {
        var rest = bytes
        while rest.readableBytes > 0 {
            let written = rest.withUnsafeReadableBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw .file("write a temporary file", errno) }
            rest.moveReaderIndex(forwardBy: written)
        }
    }

    /// The next `limit` bytes from `offset` on; empty at the end.
    func read(at offset: Int64, limit: Int) throws(SandpoolError) -> ByteBuffer {
        var bytes = ByteBuffer()
        while true {
            var count = 0
            bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: limit) { room in
                count = pread(descriptor, room.baseAddress, limit, off_t(offset))
                return max(0, count)
            }
            if count >= 0 { return bytes }
            guard errno == EINTR else { throw .file("read a temporary file", errno) }
        }
    }

    func rewind() { lseek(descriptor, 0, SEEK_SET) }
}

extension SandpoolError {
    /// A file on this side that cannot be used.
    static func file(_ what: String, _ code: Int32) -> SandpoolError {
        SandpoolError(code: "file_failed", message: "cannot \(what): \(String(cString: strerror(code)))")
    }
}
