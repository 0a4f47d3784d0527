import NIOCore
import SandpoolAPI

/// Standard input on its way into a command's pipe: bytes that arrived and were not written yet.
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
    private(set) var received: Int64 = 0
    /// Where the byte after the last one that the pipe took stands.
    private(set) var consumed: Int64 = 0
    private(set) var isLastReceived = false

    /// Whether everything was written and nothing follows.
    var isFinished: Bool { isLastReceived && waiting.readableBytes == 0 }
    var hasWaiting: Bool { waiting.readableBytes > 0 }

    mutating func add(_ frame: InputFrame) throws(Refusal) {
        guard frame.offset <= received else { throw .gap }
        var bytes = frame.bytes
        let known = received - frame.offset
        let fresh = Int64(bytes.readableBytes) - known
        if fresh > 0, !isLastReceived {
            guard Int64(waiting.readableBytes) + fresh <= Int64(Self.limit) else { throw .overflow }
            bytes.moveReaderIndex(forwardBy: Int(known))
            waiting.discardReadBytes()
            waiting.writeBuffer(&bytes)
            received += fresh
        }
        // The end counts where it stands; an older copy of a frame cannot move it.
        if frame.isLast, fresh >= 0 { isLastReceived = true }
    }

    /// Lets `write` take bytes off the front; it returns how many it took.
    mutating func drain(_ write: (UnsafeRawBufferPointer) throws -> Int) rethrows {
        while hasWaiting {
            let count = try waiting.readWithUnsafeReadableBytes { try write($0) }
            consumed += Int64(count)
            if count == 0 { return }
        }
    }

    /// The command reads no more: what waits and what comes is dropped, and counts as taken, so that the sender
    /// is not held up.
    mutating func discardAll() {
        waiting.clear()
        consumed = received
    }
}
