import NIOCore
import SandpoolAPI
import Synchronization

/// The bounded queue of what is to be sent to a worker. Senders never wait; a worker that does not read until
/// `limit` bytes have piled up loses its session and comes back to a clean one.
///
/// `queue` fixes the order and does no more, so that it may be called under a lock that many want. Who has queued calls
/// `flush` once it holds no such lock: that makes bytes of what was queued, unless another thread is at it, which does.
final class Outbox: Sendable {
    static let limit = 16 << 20
    /// Most that is queued and not bytes yet: more than one step of the coordinator has to say of a worker's attempts.
    static let itemLimit = 4 * SessionLimits.attempts

    enum Item: Sendable {
        case message(CoordinatorMessage)
        case frame(Frame)
    }

    private struct State {
        var items: [Item] = []
        /// Bytes of the frames among `items`. What messages hold is held by the coordinator's state as well.
        var frameBytes = 0
        /// Whether a thread is making bytes of what was queued before `items`.
        var isFlushing = false
        var hasOverflowed = false
        var pending = ByteBuffer()
        var isClosed = false
        var waiter: CheckedContinuation<Void, Never>?

        var isFull: Bool { pending.readableBytes + frameBytes >= Outbox.limit || items.count >= Outbox.itemLimit }
        /// Whether there will be nothing more to send.
        var isOver: Bool { isClosed && items.isEmpty && !isFlushing && pending.readableBytes == 0 }

        mutating func wake() {
            waiter?.resume()
            waiter = nil
        }
    }

    private let state = Mutex(State())
    /// Closed with it: nothing more is taken.
    let end = Signal()

    /// The receiver has not read for so long that `limit` bytes wait.
    struct Overflow: Error, CustomStringConvertible {
        let description = "the worker does not read: \(Outbox.limit) bytes wait for it"
    }

    /// Puts something behind what was queued before; without effect once closed. Call `flush` afterwards.
    func queue(_ item: Item) {
        state.withLock { state in
            guard !state.isClosed, !state.hasOverflowed else { return }
            guard !state.isFull else { return state.hasOverflowed = true }
            if case .frame(let frame) = item { state.frameBytes += frame.payloadBytes }
            state.items.append(item)
        }
    }

    /// Has everything that was queued made ready for `next`, in its order.
    ///
    /// - Throws: what cannot be encoded, `FrameError` for a frame that cannot be sent, `Overflow` where the queue is
    ///   full. What was queued is gone then.
    func flush() throws {
        while let (items, room) = try take() {
            var bytes = ByteBuffer()
            do {
                for item in items { try item.encode(into: &bytes, room: room) }
            } catch {
                drop()
                throw error
            }
            state.withLock { state in
                // The usual case: nothing has to be copied.
                if state.pending.readableBytes == 0 { swap(&state.pending, &bytes) }
                state.pending.writeBuffer(&bytes)
                state.isFlushing = false
                state.wake()
            }
        }
    }

    /// What is to be encoded now, and in how many bytes each frame of it has to begin.
    private func take() throws -> (items: [Item], room: Int)? {
        try state.withLock { state in
            guard !state.isFlushing else { return nil }
            guard !state.hasOverflowed else {
                // What stayed would keep `next` from its end.
                (state.items, state.frameBytes) = ([], 0)
                state.wake()
                throw Overflow()
            }
            guard !state.items.isEmpty else { return nil }
            state.isFlushing = true
            defer { (state.items, state.frameBytes) = ([], 0) }
            return (state.items, Self.limit - state.pending.readableBytes)
        }
    }

    private func drop() {
        state.withLock { state in
            (state.items, state.frameBytes) = ([], 0)
            state.isFlushing = false
            state.wake()
        }
    }

    func close() {
        state.withLock { state in
            state.isClosed = true
            state.wake()
        }
        end.close()
    }

    /// Everything that is ready, as one buffer; waits for the first byte. `nil` once closed and empty, or cancelled.
    func next() async -> ByteBuffer? {
        while true {
            let (bytes, isOver) = state.withLock { state in
                defer { state.pending = ByteBuffer() }
                return (state.pending, state.isOver)
            }
            if bytes.readableBytes > 0 { return bytes }
            if isOver { return nil }
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    state.withLock { state in
                        if state.isOver || state.pending.readableBytes > 0 { return continuation.resume() }
                        state.waiter = continuation
                    }
                }
            } onCancel: {
                close()
            }
        }
    }
}

extension Outbox.Item {
    /// - Throws: `Overflow` where a frame would begin behind `room` bytes.
    fileprivate func encode(into bytes: inout ByteBuffer, room: Int) throws {
        switch self {
        case .frame(let frame): try Self.encode(frame, into: &bytes, room: room)
        case .message(let message): try Self.encode(message, into: &bytes, room: room)
        }
    }

    private static func encode(_ frame: Frame, into bytes: inout ByteBuffer, room: Int) throws {
        guard bytes.readableBytes < room else { throw Outbox.Overflow() }
        try frame.encode(into: &bytes)
    }

    /// Assignments go as many in a frame as fit into one.
    private static func encode(_ message: CoordinatorMessage, into bytes: inout ByteBuffer, room: Int) throws {
        do {
            try encode(Frame.message(message), into: &bytes, room: room)
        } catch FrameError.payloadTooLong(let length) {
            guard case .assign(let assignments) = message, assignments.count > 1 else {
                throw FrameError.payloadTooLong(bytes: length)
            }
            let half = assignments.count / 2
            try encode(.assign(Array(assignments[..<half])), into: &bytes, room: room)
            try encode(.assign(Array(assignments[half...])), into: &bytes, room: room)
        }
    }
}
