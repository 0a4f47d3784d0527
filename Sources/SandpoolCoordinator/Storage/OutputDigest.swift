import Crypto
import NIOCore
import NIOPosix
import SandpoolAPI
import SandpoolStore

/// The digest of a stream's bytes, taken piece by piece.
struct OutputDigest: Sendable {
    /// Bytes that are read at once.
    static let pieceBytes = 1 << 20

    private var hash = SHA256()
    private(set) var bytes: Int64 = 0

    mutating func add(_ piece: ByteBuffer) {
        piece.withUnsafeReadableBytes { hash.update(bufferPointer: $0) }
        bytes += Int64(piece.readableBytes)
    }

    /// Adds the end of the stream that came inside its result; nothing where there is a hole before it.
    mutating func add(_ tail: InlineOutput) {
        guard tail.offset <= bytes else { return }
        add(ByteBuffer(bytes: tail.bytes.dropFirst(Int(bytes - tail.offset))))
    }

    /// `sha256:` and the digest of what was added.
    var text: String { "sha256:" + hash.finalize().hexText }
}

extension OutputReader {
    /// The digest of a stream as it is kept.
    func digest(of stream: OutputStreamID) async throws -> OutputDigest {
        var digest = try await output.digest(of: stream)
        for tail in try await store.output(of: stream.attempt)?.tails ?? [] where tail.stream == stream.code.stream {
            digest.add(tail)
        }
        return digest
    }
}

extension OutputStore {
    /// The digest of a stream's file as its name leads to it, also where another one is still open.
    fileprivate func digest(of stream: OutputStreamID) async throws -> OutputDigest {
        var digest = OutputDigest()
        let path = paths.file(of: stream)
        guard let file = try await pool.runIfActive({ try PosixFile.openIfThere(path) }) else { return digest }
        while true {
            let offset = digest.bytes
            let piece = try await pool.runIfActive { try file.read(at: offset, limit: OutputDigest.pieceBytes) }
            guard piece.readableBytes > 0 else { return digest }
            digest.add(piece)
        }
    }
}
