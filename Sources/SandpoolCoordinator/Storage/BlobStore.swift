import Crypto
import Glibc
import Hummingbird
import NIOCore
import NIOPosix
import SandpoolAPI
import SandpoolModel
import SandpoolStore
import Synchronization

/// Uploaded archives by content: `blobs/sha256/<2 digits>/<64 digits>`, whole or absent.
final class BlobStore: Sendable {
    let root: String
    let pool: NIOThreadPool
    private let limit: Int64
    private let reserve: DiskReserve
    /// Held while a blob comes under its name, is claimed, or goes.
    let changes = Mutex<Void>(())

    /// What is read from the disk at a time.
    static let chunkBytes = 256 << 10

    init(root: String, limit: Int64, reserve: DiskReserve, pool: NIOThreadPool) throws {
        self.root = root
        self.limit = limit
        self.reserve = reserve
        self.pool = pool
        for part in ["sha256", "incoming"] { try PosixFile.makeDirectory("\(root)/\(part)") }
        // What uploads of an earlier process left unfinished.
        try PosixFile.names(in: "\(root)/incoming") { unlink("\(root)/incoming/\($0)") }
    }

    /// Stores a stream and answers with its digest once it is durable.
    ///
    /// - Throws: `APIError` 413 beyond the limit; `FileError` for the disk. Nothing is left behind.
    ///
    /// - Parameters:
    ///   - announced: the length that the sender states, so that too much is refused before it comes.
    ///   - beginsWork: whether it is for a job to come, which is refused while the disk is full.
    func store(_ body: RequestBody, announced: Int64?, beginsWork: Bool) async throws -> BlobInfo {
        if beginsWork, !reserve.restore() { throw StoreError.diskFull("an upload") }
        if let announced, announced > limit { throw APIError.tooLarge("the upload", limit: limit) }
        let temporary = "\(root)/incoming/\(Secret.random(bytes: 16))"
        let file = try await pool.runIfActive {
            try PosixFile(path: temporary, flags: O_RDWR | O_CREAT | O_EXCL)
        }
        do {
            var hash = SHA256()
            var bytes: Int64 = 0
            for try await buffer in body {
                let offset = bytes
                bytes += Int64(buffer.readableBytes)
                guard bytes <= limit else { throw APIError.tooLarge("the upload", limit: limit) }
                buffer.withUnsafeReadableBytes { hash.update(bufferPointer: $0) }
                try await pool.runIfActive { try file.write(buffer, at: offset) }
            }
            let digest = hash.finalize().hexText
            let folder = "\(root)/sha256/\(digest.prefix(2))"
            try await pool.runIfActive { [self] in
                try file.sync()
                try PosixFile.makeDirectory(folder)
                let destination = "\(folder)/\(digest)"
                _ = try changes.withLock { _ in
                    try PosixFile.retry("rename", destination) { rename(temporary, destination) }
                }
                try PosixFile.syncDirectory(folder)
                try PosixFile.syncDirectory(folder + "/..")
            }
            return BlobInfo(digest: "sha256:\(digest)", bytes: bytes)
        } catch {
            unlink(temporary)
            throw error
        }
    }

    /// An open blob and its size; `nil` where there is none, and for what is not a digest.
    func open(_ digest: String) async throws -> (file: PosixFile, bytes: Int64)? {
        guard let path = Self.path(of: digest, in: root) else { return nil }
        return try await pool.runIfActive {
            guard PosixFile.exists(path) else { return nil }
            let file = try PosixFile(path: path, flags: O_RDONLY)
            return (file, try file.size())
        }
    }

    /// Where a blob is kept; `nil` for what is not a digest.
    static func path(of digest: String, in root: String) -> String? {
        guard BlobDigest.isWellFormed(digest) else { return nil }
        let hex = digest.dropFirst("sha256:".count)
        return "\(root)/sha256/\(hex.prefix(2))/\(hex)"
    }

    func read(_ file: PosixFile, at offset: Int64) async throws -> ByteBuffer {
        try await pool.runIfActive { try file.read(at: offset, limit: Self.chunkBytes) }
    }
}
