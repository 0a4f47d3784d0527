import NIOCore
import SandpoolAPI
import Synchronization

/// The bounded queue of what is to be sent to a worker. Senders never wait; a worker that does not read until
/// `limit` bytes have piled up loses its session and comes back to a clean one.
final class Outbox: Sendable {
    static let limit = 16 << 20

    private struct State {
        var pending = ByteBuffer()
        var isClosed = false
        var waiter: CheckedContinuation<Void, Never>?

        mutating func wake() {
            waiter?.resume()
            waiter = nil
        }
    }

    private let state = Mutex(State())

    /// The receiver has not read for so long that `limit` bytes wait.
    struct Overflow: Error, CustomStringConvertible {
        let description = "the worker does not read: \(Outbox.limit) bytes wait for it"
    }

    /// Queues a frame; without effect once closed.
    ///
    /// - Throws: `FrameError` for a frame that cannot be sent, `Overflow` where the queue is full.
    func send(_ frame: Frame) throws {
        try state.withLock { state in
            guard !state.isClosed else { return }
            guard state.pending.readableBytes < Self.limit else { throw Overflow() }
            try frame.encode(into: &state.pending)
            state.wake()
        }
    }

    func close() {
        state.withLock { state in
            state.isClosed = true
            state.wake()
        }
    }

    /// Everything queued, as one buffer; waits for the first byte. `nil` once closed and empty, or cancelled.
    func next() async -> ByteBuffer? {
        while true {
            let (bytes, isClosed) = state.withLock { state in
                defer { state.pending = ByteBuffer() }
                return (state.pending, state.isClosed)
            }
            if bytes.readableBytes > 0 { return bytes }
            if isClosed { return nil }
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    state.withLock { state in
                        if state.isClosed || state.pending.readableBytes > 0 { return continuation.resume() }
                        state.waiter = continuation
                    }
                }
            } onCancel: {
                close()
            }
        }
    }
}
