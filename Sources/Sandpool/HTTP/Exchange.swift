import NIOCore
import NIOHTTP1

/// One request and its answer on a connection of their own, full duplex: the request's body may still be open
/// while the answer's body arrives.
final class Exchange: Sendable {
    let channel: any Channel
    private let handler: NIOLoopBound<ExchangeHandler>
    private let headFuture: EventLoopFuture<HTTPResponseHead>
    let endpoint: Endpoint

    init(
        channel: any Channel, handler: NIOLoopBound<ExchangeHandler>, head: EventLoopFuture<HTTPResponseHead>,
        endpoint: Endpoint
    ) {
        self.channel = channel
        self.handler = handler
        self.headFuture = head
        self.endpoint = endpoint
    }

    var allocator: ByteBufferAllocator { channel.allocator }

    /// Queues the request's head and, without a flush between them, the first bytes of its body.
    func start(_ head: HTTPRequestHead, first: ByteBuffer?, isWhole: Bool) {
        channel.write(HTTPClientRequestPart.head(head), promise: nil)
        if let first { channel.write(HTTPClientRequestPart.body(.byteBuffer(first)), promise: nil) }
        if isWhole { channel.write(HTTPClientRequestPart.end(nil), promise: nil) }
        channel.flush()
    }

    /// Sends a piece of the request's body. The future is done when the socket took it, which is the
    /// back-pressure: keep one or few pieces waiting.
    func send(_ bytes: ByteBuffer) -> EventLoopFuture<Void> {
        channel.writeAndFlush(HTTPClientRequestPart.body(.byteBuffer(bytes)))
    }

    /// Ends the request's body.
    func finish() { channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil) }

    /// The answer's status and headers.
    ///
    /// - Parameter limit: how long to wait for them before the connection counts as lost; `nil` for ever, which is for
    ///   requests whose answer comes when they are done.
    func head(within limit: TimeAmount? = nil) async throws -> HTTPResponseHead {
        guard let limit else { return try await headFuture.get() }
        let timer = channel.eventLoop.scheduleTask(in: limit) { self.handler.value.giveUp(after: limit) }
        defer { timer.cancel() }
        return try await headFuture.get()
    }

    /// The next bytes of the answer's body, in as many buffers as arrived; empty at its end.
    func next() async throws -> [ByteBuffer] {
        let promise = channel.eventLoop.makePromise(of: [ByteBuffer].self)
        channel.eventLoop.execute { self.handler.value.next(promise) }
        return try await withTaskCancellationHandler {
            try await promise.futureResult.get()
        } onCancel: {
            self.close()
        }
    }

    /// The whole body of the answer, refused when it is longer than `limit` bytes.
    func body(limit: Int) async throws -> ByteBuffer {
        var whole = ByteBuffer()
        while true {
            let pieces = try await next()
            if pieces.isEmpty { return whole }
            for var piece in pieces { whole.writeBuffer(&piece) }
            guard whole.readableBytes <= limit else {
                throw SandpoolError(
                    code: "answer_too_long", message: "an answer of \(endpoint) is longer than \(limit) bytes")
            }
        }
    }

    func close() { channel.close(promise: nil) }
}
