import Glibc
import LinuxSystem
import NIOCore

/// One stream's spool: the launcher's file, open for reading at offsets (pread(2)).
struct SpoolFile: Sendable {
    let file: FileDescriptor

    /// Bytes that were written so far (fstat(2)).
    var size: Int64 {
        var status = stat()
        return fstat(file.raw, &status) == 0 ? Int64(status.st_size) : 0
    }

    /// Reads `count` bytes at `offset`; fewer only when the file is shorter than was said.
    func read(at offset: Int64, count: Int) throws(SystemError) -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: count)
        while buffer.readableBytes < count {
            let position = off_t(offset) + off_t(buffer.readableBytes)
            let wanted = count - buffer.readableBytes
            var failure: SystemError?
            let got = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: wanted) { region in
                do throws(SystemError) {
                    return try systemCall("pread spool") { pread(file.raw, region.baseAddress, wanted, position) }
                } catch {
                    failure = error
                    return 0
                }
            }
            if let failure { throw failure }
            if got == 0 { break }
        }
        return buffer
    }
}
