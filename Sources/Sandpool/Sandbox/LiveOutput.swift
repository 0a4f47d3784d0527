import NIOCore
import Synchronization

/// What arrived of one output stream of an exec and was not read yet. Nothing else keeps it, so it is bounded: whoever
/// adds to it waits while it is full.
final class LiveOutput: Sendable {
    /// Bytes from which on no more is taken in.
    static let limit = 8 << 20

    private struct State {
        var pieces: [ByteBuffer] = []
        var bytes = 0
        var end: Result<Void, SandpoolError>?
        var readers: [CheckedContinuation<Void, Never>] = []
        var writer: CheckedContinuation<Void, Never>?

        mutating func wakeReaders() {
            for reader in readers { reader.resume() }
            readers = []
        }

        mutating func wakeWriter() {
            writer?.resume()
            writer = nil
        }
    }

    private let state = Mutex(State())

    /// Adds bytes, then waits for room; not after the task was cancelled.
    func add(_ bytes: ByteBuffer) async {
        state.withLock { state in
            state.pieces.append(bytes)
            state.bytes += bytes.readableBytes
            state.wakeReaders()
        }
        await wait(until: { $0.bytes < Self.limit }, keep: { $0.writer = $1 })
    }

    /// Nothing follows.
    func finish(_ end: Result<Void, SandpoolError>) {
        state.withLock { state in
            state.end = state.end ?? end
            state.wakeReaders()
        }
    }

    /// Everything that is there; waits for the first. `nil` at the end.
    ///
    /// - Throws: what ended the stream before the command did, once everything before it was read.
    func next() async throws -> ByteBuffer? {
        while true {
            let (whole, end) = state.withLock { state in
                var whole = state.pieces.first
                for var piece in state.pieces.dropFirst() { whole?.writeBuffer(&piece) }
                state.pieces = []
                state.bytes = 0
                state.wakeWriter()
                return (whole, state.end)
            }
            if let whole { return whole }
            if let end {
                try end.get()
                return nil
            }
            try Task.checkCancellation()
            await wait(until: { !$0.pieces.isEmpty || $0.end != nil }, keep: { $0.readers.append($1) })
        }
    }

    /// Waits for a condition, for any change at all, or for the task's cancellation.
    private func wait(
        until isMet: @Sendable (State) -> Bool,
        keep: @Sendable (inout State, CheckedContinuation<Void, Never>) -> Void
    ) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                state.withLock { state in
                    if isMet(state) || Task.isCancelled { return continuation.resume() }
                    keep(&state, continuation)
                }
            }
        } onCancel: {
            state.withLock { state in
                state.wakeReaders()
                state.wakeWriter()
            }
        }
    }
}
