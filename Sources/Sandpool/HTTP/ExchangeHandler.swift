import NIOCore
import NIOHTTP1

/// The answering half of one exchange on one connection: holds the response's head and a bounded queue of its
/// body until somebody asks for them, and stops reading from the socket while the queue is full.
///
/// All state belongs to the channel's event loop.
final class ExchangeHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundIn = HTTPClientRequestPart
    typealias OutboundOut = HTTPClientRequestPart

    /// Bytes of body held before the socket is no longer read.
    private static let highWater = 1 << 20

    private enum Stage {
        case awaitingHead
        case receiving
        case ended
        case failed(SandpoolError)
    }

    private let endpoint: Endpoint
    private let head: EventLoopPromise<HTTPResponseHead>
    private var stage = Stage.awaitingHead
    private var queue: [ByteBuffer] = []
    private var queuedBytes = 0
    private var waiter: EventLoopPromise<[ByteBuffer]>?
    private var isReadHeldBack = false
    private var context: ChannelHandlerContext?

    init(endpoint: Endpoint, head: EventLoopPromise<HTTPResponseHead>) {
        self.endpoint = endpoint
        self.head = head
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        fail(.disconnected(endpoint))
        self.context = nil
    }

    /// Succeeds with what has arrived since the last call, with nothing at the body's end; one caller at a time.
    func next(_ promise: EventLoopPromise<[ByteBuffer]>) {
        if !queue.isEmpty {
            promise.succeed(takeQueue())
            return
        }
        switch stage {
        case .awaitingHead, .receiving: waiter = promise
        case .ended: promise.succeed([])
        case .failed(let error): promise.fail(error)
        }
    }

    private func takeQueue() -> [ByteBuffer] {
        let taken = queue
        queue = []
        queuedBytes = 0
        if isReadHeldBack {
            isReadHeldBack = false
            context?.read()
        }
        return taken
    }

    func read(context: ChannelHandlerContext) {
        if queuedBytes >= Self.highWater {
            isReadHeldBack = true
        } else {
            context.read()
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let response):
            stage = .receiving
            head.succeed(response)
        case .body(let bytes):
            queuedBytes += bytes.readableBytes
            queue.append(bytes)
        case .end:
            stage = .ended
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) { wakeWaiter() }

    private func wakeWaiter() {
        guard let waiting = waiter else { return }
        if !queue.isEmpty {
            waiter = nil
            waiting.succeed(takeQueue())
        } else if case .ended = stage {
            waiter = nil
            waiting.succeed([])
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(.disconnected(endpoint))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(.disconnected(endpoint))
        context.close(promise: nil)
    }

    /// Ends the connection where no head has come.
    func giveUp(after limit: TimeAmount) {
        guard case .awaitingHead = stage else { return }
        fail(.silent(endpoint, seconds: limit.nanoseconds / 1_000_000_000))
        context?.close(promise: nil)
    }

    private func fail(_ error: SandpoolError) {
        switch stage {
        case .awaitingHead, .receiving: stage = .failed(error)
        case .ended, .failed: break
        }
        head.fail(error)
        wakeWaiter()
        if queue.isEmpty, let waiting = waiter {
            waiter = nil
            waiting.fail(error)
        }
    }
}
