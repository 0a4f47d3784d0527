import Glibc
import Sandpool

/// Writes to descriptors that this process was given and may share: their flags stay as they are.
enum Descriptor {
    /// Writes every byte.
    ///
    /// - Throws: `ClosedOutput` where the reader is gone, `SandpoolError` for any other failure.
    static func write(_ bytes: some Collection<UInt8>, to descriptor: Int32) throws {
        let done: Void? = try bytes.withContiguousStorageIfAvailable {
            try write(UnsafeRawBufferPointer($0), to: descriptor)
        }
        if done == nil { try Array(bytes).withUnsafeBytes { try write($0, to: descriptor) } }
    }

    static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if written >= 0 {
                rest = rest.dropFirst(written)
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN: waitUntilWritable(descriptor)
            case EPIPE: throw ClosedOutput()
            default:
                throw SandpoolError(
                    code: "output_failed", message: "cannot write output: \(String(cString: strerror(errno)))")
            }
        }
    }

    /// Another holder of the same open file may have made it non-blocking.
    private static func waitUntilWritable(_ descriptor: Int32) {
        var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = poll(&entry, 1, -1)
    }

    /// Whether `count` bytes can be written at once without waiting for a reader.
    static func takesAtOnce(_ count: Int, _ descriptor: Int32) -> Bool {
        // Linux reports a pipe as writable when a page is free: pipe(7), PIPE_BUF.
        guard count <= 4_096 else { return false }
        var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return poll(&entry, 1, 0) == 1 && entry.revents & Int16(POLLOUT) != 0
    }

    /// Reads what is there, at most `limit` bytes; nothing at the end, `nil` with `errno` set on a failure.
    static func readOnce(_ descriptor: Int32, limit: Int) -> [UInt8]? {
        var count = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, initialized in
            count = Glibc.read(descriptor, buffer.baseAddress, limit)
            initialized = max(0, count)
        }
        return count >= 0 ? bytes : nil
    }
}
