import Crypto
import LinuxSystem
import NIOConcurrencyHelpers
import NIOCore
import SandpoolModel

/// The digest of a stream's bytes from the first one on, taken as they are read to be sent. What was not read in that
/// order, such as what an earlier process of this worker sent, is read from the spool when the stream has ended.
final class SpoolDigest: Sendable {
    /// Bytes that are read at once.
    private static let pieceBytes: Int64 = 256 << 10

    private struct State: Sendable {
        var hash = SHA256()
        var bytes: Int64 = 0
    }

    private let state = NIOLockedValueBox(State())

    /// How many bytes it covers.
    var bytes: Int64 { state.withLockedValue(\.bytes) }

    /// Takes the bytes of the stream at `offset`. Those that it covers already, or that leave a hole, change nothing.
    func note(_ piece: ByteBuffer, at offset: Int64) {
        state.withLockedValue { state in
            let known = state.bytes - offset
            guard known >= 0, known < Int64(piece.readableBytes) else { return }
            piece.readableBytesView.dropFirst(Int(known)).withUnsafeBytes { state.hash.update(bufferPointer: $0) }
            state.bytes += Int64(piece.readableBytes) - known
        }
    }

    /// `sha256:` and the digest of the stream's `count` bytes, for which what is missing is read.
    ///
    /// - Returns: `nil` where the spool holds fewer, or it covers more.
    func whole(_ count: Int64, in spool: SpoolFile) throws(SystemError) -> String? {
        while bytes < count {
            let offset = bytes
            let piece = try spool.read(at: offset, count: Int(min(count - offset, Self.pieceBytes)))
            guard piece.readableBytes > 0 else { return nil }
            note(piece, at: offset)
        }
        return state.withLockedValue { state in
            state.bytes == count ? "sha256:" + state.hash.finalize().hexadecimal : nil
        }
    }
}

/// What is left to do until an attempt's evidence can name the digests of its output.
struct DigestWork: Sendable {
    /// So much is read on the spot; more may take a while.
    static let shortBytes: Int64 = 256 << 10

    private struct Stream: Sendable {
        var spool: SpoolFile
        var digest: SpoolDigest
        var bytes: Int64

        /// A stream without a byte needs none, and one that cannot be read has none.
        var text: String? { bytes > 0 ? (try? digest.whole(bytes, in: spool)) ?? nil : nil }
    }

    private let stdout: Stream
    private let stderr: Stream

    /// `nil` where there are no spools.
    init?(_ files: AttemptFiles, _ evidence: Evidence) {
        guard let stdout = files.stdout, let stderr = files.stderr else { return nil }
        self.stdout = Stream(spool: stdout, digest: files.stdoutDigest, bytes: evidence.stdoutBytes)
        self.stderr = Stream(spool: stderr, digest: files.stderrDigest, bytes: evidence.stderrBytes)
    }

    /// Whether there is more to be read than can be waited for.
    var isLong: Bool {
        [stdout, stderr].reduce(0) { $0 + max(0, $1.bytes - $1.digest.bytes) } > Self.shortBytes
    }

    /// Reads what is missing and writes the digests down. Blocks.
    func fill(_ evidence: inout Evidence) {
        evidence.stdoutDigest = stdout.text
        evidence.stderrDigest = stderr.text
    }
}
