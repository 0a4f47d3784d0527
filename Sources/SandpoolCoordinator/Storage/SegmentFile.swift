import Glibc
import NIOCore
import Synchronization

/// An open file of output that is written at its end and synced, until a sync fails. From then on it is closed to both
/// and is cut back, once, to what is durable: a second sync of pages that the kernel could not write succeeds without
/// them (fsync(2), "Notes"), and bytes written behind a cut would leave a hole before them. Calls block.
final class SegmentFile: Sendable {
    let file: PosixFile
    private let hasFailed = Atomic(false)
    /// One sync at a time, so that none succeeds beside one that fails.
    private let syncing = Mutex(())
    /// Whether it was cut.
    private let writing = Mutex(false)

    init(_ file: PosixFile) { self.file = file }

    /// Whether a sync failed: what was known of its length is not true any more, and nothing may be added.
    var isClosed: Bool { hasFailed.load(ordering: .acquiring) }

    func write(_ bytes: ByteBuffer, at offset: Int64) throws(FileError) {
        try writing.withLock { _ throws(FileError) in
            try checkOpen("write")
            try file.write(bytes, at: offset)
        }
    }

    /// Makes it durable as it is, and the names of its folders.
    func sync(_ folders: [String]) throws(FileError) {
        try syncing.withLock { _ throws(FileError) in
            try checkOpen("fdatasync")
            do throws(FileError) {
                try file.sync()
                for folder in folders { try PosixFile.syncDirectory(folder) }
            } catch {
                hasFailed.store(true, ordering: .releasing)
                throw error
            }
        }
    }

    /// Cuts a closed file back; who comes second finds it done.
    func cut(to length: Int64) throws(FileError) {
        try writing.withLock { isCut throws(FileError) in
            guard !isCut else { return }
            _ = try PosixFile.retry("ftruncate", file.path) { ftruncate(file.descriptor, off_t(length)) }
            isCut = true
        }
    }

    func checkOpen(_ operation: String) throws(FileError) {
        if isClosed { throw FileError(operation: operation, path: file.path, code: EIO) }
    }
}
