import LinuxSystem
import NIOCore
import SandpoolAPI
import SandpoolModel

/// One thing to send: a message, or bytes that still have to be read from a spool.
enum OutboundItem: Sendable {
    case message(WorkerMessage)
    case output(Piece)

    /// Bytes of a spool.
    struct Piece: Sendable {
        /// The attempt's or the exec's.
        let id: String
        let epoch: Int64
        let stream: OutputStreamCode
        let spool: SpoolFile
        let offset: Int64
        let count: Int
        /// Takes note of the bytes.
        var digest: SpoolDigest?
    }

    /// The frame; blocks for the read from the page cache.
    ///
    /// - Throws: `Unreadable` where a spool is in the way.
    func frame() throws -> Frame {
        switch self {
        case .message(let message): return try .message(message)
        case .output(let piece): return .output(try piece.frame())
        }
    }

    /// What is left to send once these streams cannot be: neither more of them, nor how whoever wrote them ended.
    func without(_ lost: [String: Set<OutputStreamCode>]) -> OutboundItem? {
        if lost.isEmpty { return self }
        switch self {
        case .output(let piece): return lost[piece.id]?.contains(piece.stream) ?? false ? nil : self
        case .message(.execEnded(let result)): return lost[result.id.text] == nil ? self : nil
        case .message(.results(let results)):
            let rest = results.filter { lost[$0.lease.attempt.text] == nil }
            return rest.isEmpty ? nil : .message(.results(rest))
        case .message: return self
        }
    }

    /// A spool that cannot be read, or is shorter than was said.
    struct Unreadable: Error {
        let piece: Piece
        let reason: String
    }
}

extension OutboundItem.Piece {
    fileprivate func frame() throws(OutboundItem.Unreadable) -> OutputFrame {
        let bytes: ByteBuffer
        do throws(SystemError) { bytes = try read() } catch {
            throw OutboundItem.Unreadable(piece: self, reason: "\(error)")
        }
        guard bytes.readableBytes == count else {
            throw OutboundItem.Unreadable(piece: self, reason: "its file ends before byte \(offset + Int64(count))")
        }
        digest?.note(bytes, at: offset)
        return OutputFrame(id: id, epoch: epoch, stream: stream, offset: offset, bytes: bytes)
    }

    /// One failure may pass, as of a block device on a network; a second one ends the stream.
    private func read() throws(SystemError) -> ByteBuffer {
        do throws(SystemError) { return try spool.read(at: offset, count: count) } catch {
            return try spool.read(at: offset, count: count)
        }
    }
}
