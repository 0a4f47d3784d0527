import Glibc
import SandpoolStore
import Synchronization

/// Room on the disk that is kept for what has to be written when the disk is full: results, cancels, drains,
/// revocations. A file holds it and is cut shorter, a piece at a time, when such a write finds no room: so whoever
/// else fills the disk gets at most a piece of it.
///
/// While it is not whole nothing new is taken, so that nothing new uses the room up.
final class DiskReserve: Sendable {
    private let file: PosixFile
    private let bytes: Int64
    private let piece: Int64
    /// How long the file is.
    private let held: Mutex<Int64>

    private static let pieces: Int64 = 64

    init(path: String, bytes: Int64) throws(FileError) {
        self.bytes = bytes
        piece = max(1, bytes / Self.pieces)
        file = try PosixFile(path: path, flags: O_RDWR | O_CREAT)
        held = Mutex(try file.size())
        restore()
    }

    /// Makes the reserve whole where there is room again; whether it is.
    @discardableResult
    func restore() -> Bool {
        held.withLock { held in
            if held == bytes { return true }
            // A try takes what there is before it fails, and for that moment nobody else has it.
            guard file.hasRoom(for: bytes - held) else { return false }
            if posix_fallocate(file.descriptor, 0, off_t(bytes)) == 0, cut(to: bytes) {
                held = bytes
                return true
            }
            // A part of it would only be missing elsewhere.
            _ = cut(to: held)
            return false
        }
    }

    /// Gives a piece of the room to whoever writes next; whether there was one left.
    func release() -> Bool {
        held.withLock { held in
            let rest = max(0, held - piece)
            guard held > 0, cut(to: rest) else { return false }
            held = rest
            return true
        }
    }

    /// Repeats a write for which the disk had no room, with a piece of the reserve's each time.
    func supporting<Value>(_ write: () async throws -> Value) async throws -> Value {
        while true {
            do { return try await write() } catch StoreError.diskFull where release() { continue }
        }
    }

    private func cut(to length: Int64) -> Bool { ftruncate(file.descriptor, off_t(length)) == 0 }
}
