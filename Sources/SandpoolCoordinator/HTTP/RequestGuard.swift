import HTTPTypes
import NIOCore
import NIOHTTPTypes
import SandpoolAPI

/// Bounds what a slow or vanished peer can hold of a connection.
///
/// - A request's head has to be whole within `headTimeout` of the connection's begin or the last response, and
///   its body may not pause for `bodyTimeout`. The frame streams are exempt while they are answered: they may
///   be silent for as long as a command is. An exec is one of them from the head of its response on.
/// - A body that nobody wants any more, because its response has left, is read for `drainTimeout` and no longer.
/// - A streaming peer that closes its side is gone: half-open streams would hide that. One that is gone without a word
///   is asked for by the kernel (`PeerWatch`).
final class RequestGuard: ChannelInboundHandler, ChannelOutboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    static let headTimeout = TimeAmount.seconds(75)
    static let bodyTimeout = TimeAmount.seconds(30)
    static let drainTimeout = TimeAmount.seconds(5)

    private var timer: Scheduled<Void>?
    private var isReadingBody = false
    private var isAnswering = false
    private var isStream = false
    /// Whether it is a stream whose response waits for the begin of its body.
    private var awaitsBody = false

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { begin(context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

    func channelActive(context: ChannelHandlerContext) {
        begin(context)
        context.fireChannelActive()
    }

    private func begin(_ context: ChannelHandlerContext) {
        restart(Self.headTimeout, context)
        PeerWatch.begin(context.channel)
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            isAnswering = true
            isReadingBody = true
            awaitsBody = head.path?.hasSuffix("/exec") ?? false
            isStream = awaitsBody || Self.isStream(head)
            update(context)
        case .body:
            if isAnswering { update(context) }
        case .end:
            isReadingBody = false
            update(context)
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let part = unwrapOutboundIn(data)
        if case .head = part, awaitsBody {
            awaitsBody = false
            update(context)
        }
        guard case .end = part else { return context.write(data, promise: promise) }
        // Once the socket took it and everything before it: closing earlier would cut off what a slow client reads.
        let taken = promise ?? context.eventLoop.makePromise()
        taken.futureResult.assumeIsolated().whenSuccess {
            self.isAnswering = false
            self.isStream = false
            self.update(context)
        }
        context.write(data, promise: taken)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if isStream, let event = event as? ChannelEvent, event == .inputClosed {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    /// Whether a request may go on for as long as a job does.
    private static func isStream(_ head: HTTPRequest) -> Bool {
        guard let path = head.path else { return false }
        return path == Routes.run || path == Routes.workerSession
            || path.contains("follow=") || path.contains("wait=")
    }

    private func update(_ context: ChannelHandlerContext) {
        switch (isReadingBody, isAnswering) {
        case (true, true):
            if isStream, !awaitsBody { timer?.cancel() } else { restart(Self.bodyTimeout, context) }
        case (true, false): restart(Self.drainTimeout, context)
        case (false, true): timer?.cancel()
        case (false, false): restart(Self.headTimeout, context)
        }
    }

    private func restart(_ timeout: TimeAmount, _ context: ChannelHandlerContext) {
        timer?.cancel()
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: timeout) { context.close(promise: nil) }
    }
}
