import NIOCore
import SandpoolAPI

/// What goes from here to a command that runs elsewhere.
public protocol CommandStream: Actor {
    /// Writes to the command's standard input; returns when there is room for more.
    ///
    /// - Returns: `false` when the command has ended and nobody reads any more.
    @discardableResult
    func write(_ bytes: ByteBuffer) async throws -> Bool

    /// Waits until the command took everything that was written, or ended.
    func drain() async

    /// Ends standard input.
    func finishInput() throws

    /// Sends a signal to the command.
    func signal(_ signal: Int) throws

    /// Ends the command: SIGTERM, grace, kill.
    func cancel() throws
}

/// The writing half of a stream that carries standard input: a window of what is on its way, and who waits for it.
protocol InputFeeder: Actor {
    var input: InputWindow { get set }
    var inputWaiters: [CheckedContinuation<Void, Never>] { get set }
    /// Whether the command has ended.
    var isFinished: Bool { get }

    /// Sends a piece if there is a connection that can take it; the future is done when its socket did.
    @discardableResult
    func sendInput(_ offset: Int64, _ bytes: ByteBuffer, isLast: Bool) throws -> EventLoopFuture<Void>?
}

extension InputFeeder {
    func feed(_ bytes: ByteBuffer) async throws -> Bool {
        var rest = bytes
        while rest.readableBytes > 0 {
            guard !isFinished, !input.isFinished else { return false }
            let length = min(rest.readableBytes, input.room, Frame.chunkBytes)
            if length == 0 {
                await withCheckedContinuation { inputWaiters.append($0) }
            } else if let piece = rest.readSlice(length: length) {
                let offset = input.append(piece)
                // A connection that fails here is noticed by the reader.
                try? await sendInput(offset, piece, isLast: false)?.get()
            }
        }
        return !isFinished
    }

    func drained() async {
        while !isFinished, input.consumed < input.written {
            await withCheckedContinuation { inputWaiters.append($0) }
        }
    }

    func feedEnd() throws {
        guard !isFinished, !input.isFinished else { return }
        let offset = input.finish()
        try sendInput(offset, ByteBuffer(), isLast: true)
    }

    /// Sends what the connection before may not have delivered, or what waited for the first.
    func sendUnacknowledgedInput() throws {
        for piece in input.unacknowledged() { try sendInput(piece.offset, piece.bytes, isLast: false) }
        if input.isFinished { try sendInput(input.written, ByteBuffer(), isLast: true) }
    }

    func wakeWriters() {
        let waiting = inputWaiters
        inputWaiters = []
        for waiter in waiting { waiter.resume() }
    }
}
