import Glibc
import NIOCore
import Synchronization

/// An open file of output that is written at its end and cut back where a sync failed, and never both: bytes written
/// behind a cut would leave a hole before them. Calls block.
final class SegmentFile: Sendable {
    let file: PosixFile
    private let cut = Mutex(false)

    init(_ file: PosixFile) { self.file = file }

    /// Whether it was cut: what was known of its length is not true any more, and nothing may be added.
    var isCut: Bool { cut.withLock { $0 } }

    func write(_ bytes: ByteBuffer, at offset: Int64) throws(FileError) {
        try cut.withLock { isCut throws(FileError) in
            guard !isCut else { throw FileError(operation: "write", path: file.path, code: EIO) }
            try file.write(bytes, at: offset)
        }
    }

    func cut(to length: Int64) throws(FileError) {
        try cut.withLock { isCut throws(FileError) in
            isCut = true
            _ = try PosixFile.retry("ftruncate", file.path) { ftruncate(file.descriptor, off_t(length)) }
        }
    }
}
