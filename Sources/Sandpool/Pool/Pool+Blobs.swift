import Crypto
import NIOCore
import SandpoolAPI
import SandpoolModel

extension Pool {
    private static let chunkBytes = 256 << 10

    /// Uploads a file or directory, unless the coordinator has it already, as a mount at `path`.
    public func upload(_ local: String, to path: String) async throws -> Mount {
        let isFile = try LocalPath.kind(of: local) == .file
        let archive = try await Tar.archive(local, isFile: isFile)
        let (digest, bytes) = try Self.digest(of: archive)
        if try await !hasBlob(digest) { try await uploadBlob(archive, bytes: bytes, digest: digest) }
        return Mount(blob: digest, path: path, isFile: isFile)
    }

    private static func digest(of archive: TemporaryFile) throws -> (digest: String, bytes: Int64) {
        var hash = SHA256()
        var offset: Int64 = 0
        while true {
            let bytes = try archive.read(at: offset, limit: chunkBytes)
            guard bytes.readableBytes > 0 else { break }
            bytes.withUnsafeReadableBytes { hash.update(bufferPointer: $0) }
            offset += Int64(bytes.readableBytes)
        }
        let digits = hash.finalize().map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }
        return ("sha256:" + digits.joined(), offset)
    }

    /// Whether the coordinator holds a blob.
    public func hasBlob(_ digest: String) async throws -> Bool {
        do {
            _ = try await http.request(.HEAD, "\(Routes.blobs)/\(Query.escape(digest))")
            return true
        } catch let error as SandpoolError where error.status == 404 {
            return false
        }
    }

    private func uploadBlob(_ archive: TemporaryFile, bytes: Int64, digest: String) async throws {
        let exchange = try await http.open(
            .POST, Routes.blobs, contentType: "application/x-tar", length: bytes, isWhole: false)
        defer { exchange.close() }
        var offset: Int64 = 0
        do {
            while offset < bytes {
                let piece = try archive.read(at: offset, limit: Self.chunkBytes)
                offset += Int64(piece.readableBytes)
                try await exchange.send(piece).get()
            }
            exchange.finish()
        } catch {
            // A refusal may arrive before the last byte left; it says more than the broken pipe.
            try await http.accept(exchange)
            throw SandpoolError.disconnected(endpoint)
        }
        try await http.accept(exchange)
        let info: BlobInfo = try http.decode(try await exchange.body(limit: HTTPClient.answerLimit))
        guard info.digest == digest else {
            throw SandpoolError(
                code: "upload_damaged", message: "the coordinator stored \(info.digest) where \(digest) was sent",
                hint: "try again; if it repeats, check the network and the disks")
        }
    }
}
