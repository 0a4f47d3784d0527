import NIOCore
import SandpoolAPI

/// How far a command's standard input has come, and the bytes that arrived and have no place of their own yet.
///
/// Pure. Frames may come twice after a reconnection; their offsets say what is new.
struct InputQueue: Sendable {
    /// Bytes that may wait for the command to read them; the sender's window is far below it.
    static let limit = 1 << 20

    enum Refusal: Error, Hashable, Sendable {
        /// Bytes are missing before this frame.
        case gap
        /// More than `limit` would wait.
        case overflow
    }

    private var waiting = ByteBuffer()
    /// Where the byte after the last received one stands.
    private(set) var received: Int64
    /// Where the byte after the last one that the pipe took stands.
    private(set) var consumed: Int64
    private(set) var isLastReceived = false

    init(received: Int64 = 0, consumed: Int64 = 0) {
        self.received = received
        self.consumed = consumed
    }

    /// Whether everything was written and nothing follows.
    var isFinished: Bool { isLastReceived && !hasWaiting }
    var hasWaiting: Bool { consumed < received }

    mutating func add(_ frame: InputFrame) throws(Refusal) {
        guard frame.offset <= received else { throw .gap }
        var bytes = frame.bytes
        let known = received - frame.offset
        let fresh = Int64(bytes.readableBytes) - known
        if fresh > 0, !isLastReceived {
            guard received - consumed + fresh <= Int64(Self.limit) else { throw .overflow }
            bytes.moveReaderIndex(forwardBy: Int(known))
            waiting.writeBuffer(&bytes)
            received += fresh
        }
        // The end counts where it stands; an older copy of a frame cannot move it.
        if frame.isLast, fresh >= 0 { isLastReceived = true }
    }

    /// The bytes that came since this was asked last.
    mutating func takeWaiting() -> ByteBuffer {
        defer { waiting = ByteBuffer() }
        return waiting
    }

    /// Notes how far the pipe took them.
    mutating func noteConsumed(to offset: Int64) { consumed = max(consumed, min(offset, received)) }

    /// The command reads no more: what waits and what comes is dropped, and counts as taken, so that the sender
    /// is not held up.
    mutating func discardAll() {
        waiting.clear()
        consumed = received
    }
}
