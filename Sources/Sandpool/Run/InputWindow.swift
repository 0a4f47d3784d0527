import NIOCore

/// Standard input that was sent and not yet taken by the command, kept so that it can be sent again after a
/// reconnection. It is bounded, and that bound is the back-pressure on whoever writes.
struct InputWindow {
    /// Most bytes on their way at once.
    static let limit: Int64 = 512 << 10

    /// Where the next written byte stands in the stream.
    private(set) var written: Int64 = 0
    /// How many bytes the command took.
    private(set) var consumed: Int64 = 0
    private(set) var isFinished = false
    private var pieces: [(offset: Int64, bytes: ByteBuffer)] = []

    /// Bytes that may be written now.
    var room: Int { Int(max(0, Self.limit - (written - consumed))) }

    /// Accepts bytes, at most `room` of them, and returns their offset.
    mutating func append(_ bytes: ByteBuffer) -> Int64 {
        let offset = written
        pieces.append((offset, bytes))
        written += Int64(bytes.readableBytes)
        return offset
    }

    /// Accepts the end; returns where it stands.
    mutating func finish() -> Int64 {
        isFinished = true
        return written
    }

    /// Notes that everything before `offset` was taken. An offset that was never written is left out of account.
    mutating func acknowledge(upTo offset: Int64) {
        guard offset > consumed, offset <= written else { return }
        consumed = offset
        pieces.removeAll { $0.offset + Int64($0.bytes.readableBytes) <= offset }
    }

    /// What has to be sent on a new connection, in order.
    func unacknowledged() -> [(offset: Int64, bytes: ByteBuffer)] {
        pieces.map { piece in
            let skipped = max(0, consumed - piece.offset)
            let rest = piece.bytes.getSlice(
                at: piece.bytes.readerIndex + Int(skipped), length: piece.bytes.readableBytes - Int(skipped))
            return (piece.offset + skipped, rest ?? piece.bytes)
        }
    }
}
