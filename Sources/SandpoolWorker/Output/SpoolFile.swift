import Glibc
import LinuxSystem
import NIOCore
import SandpoolSandbox

/// One stream's spool: the launcher's file, open for reading at offsets (pread(2)).
struct SpoolFile: Sendable {
    let file: FileDescriptor
    /// How the stream lies in it; `nil`: from the start to the end.
    var ring: SpoolRing?

    /// Bytes that were written so far (fstat(2)).
    var size: Int64 {
        var status = stat()
        return fstat(file.raw, &status) == 0 ? Int64(status.st_size) : 0
    }

    /// Reads `count` bytes at `offset`; fewer only when the file is shorter than was said.
    func read(at offset: Int64, count: Int) throws(SystemError) -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: count)
        while buffer.readableBytes < count {
            let next = offset + Int64(buffer.readableBytes)
            let place = ring?.place(of: UInt64(clamping: next)) ?? (UInt64(clamping: next), .max)
            let position = off_t(clamping: place.position)
            let wanted = Int(min(UInt64(count - buffer.readableBytes), place.count))
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
