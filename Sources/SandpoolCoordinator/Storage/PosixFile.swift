import Glibc
import NIOCore

/// A system call that failed: what was tried, on which path, and why.
struct FileError: Error, Hashable, Sendable, CustomStringConvertible {
    var operation: String
    var path: String
    var code: Int32

    /// Whether the file system has no room: ENOSPC, or a quota's EDQUOT.
    var isDiskFull: Bool { code == ENOSPC || code == EDQUOT }

    var description: String { "\(operation) \(path): \(String(cString: strerror(code)))" }
}

/// An open file, closed when the last reference goes. Calls block: run them on the file pool.
final class PosixFile: Sendable {
    let descriptor: Int32
    let path: String

    init(path: String, flags: Int32, mode: mode_t = 0o600) throws(FileError) {
        descriptor = try Self.retry("open", path) { open(path, flags | O_CLOEXEC, mode) }
        self.path = path
    }

    deinit { close(descriptor) }

    /// Writes all bytes at an offset.
    func write(_ bytes: ByteBuffer, at offset: Int64) throws(FileError) {
        var failure: FileError?
        bytes.withUnsafeReadableBytes { region in
            var done = 0
            while done < region.count, failure == nil {
                do throws(FileError) {
                    done += try Self.retry("write", path) {
                        pwrite(descriptor, region.baseAddress?.advanced(by: done), region.count - done,
                            off_t(offset) + done)
                    }
                } catch {
                    failure = error
                }
            }
        }
        if let failure { throw failure }
    }

    /// Whether its file system has so many bytes left for whoever is not root.
    func hasRoom(for bytes: Int64) -> Bool {
        var state = statvfs()
        guard fstatvfs(descriptor, &state) == 0 else { return false }
        return bytes <= 0 || UInt64(bytes) <= UInt64(state.f_bavail) * UInt64(state.f_frsize)
    }

    /// Reads up to `limit` bytes at an offset; fewer only at the end of the file.
    func read(at offset: Int64, limit: Int) throws(FileError) -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: limit)
        while buffer.readableBytes < limit {
            let position = offset + Int64(buffer.readableBytes)
            let wanted = limit - buffer.readableBytes
            var failure: FileError?
            let count = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: wanted) { region in
                do throws(FileError) {
                    return try Self.retry("read", path) {
                        pread(descriptor, region.baseAddress, wanted, off_t(position))
                    }
                } catch {
                    failure = error
                    return 0
                }
            }
            if let failure { throw failure }
            if count == 0 { break }
        }
        return buffer
    }

    /// Makes what was written durable: fdatasync(2), which flushes a changed size too.
    func sync() throws(FileError) {
        _ = try Self.retry("fdatasync", path) { fdatasync(descriptor) }
    }

    func size() throws(FileError) -> Int64 {
        var status = stat()
        _ = try Self.retry("fstat", path) { fstat(descriptor, &status) }
        return Int64(status.st_size)
    }

    /// The one place that knows EINTR: repeats the call, and turns −1 into an error.
    static func retry<Count: BinaryInteger>(
        _ operation: String, _ path: String, _ call: () -> Count
    ) throws(FileError) -> Count {
        while true {
            let result = call()
            if result != -1 { return result }
            let code = errno
            if code != EINTR { throw FileError(operation: operation, path: path, code: code) }
        }
    }
}
