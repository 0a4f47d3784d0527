import NIOCore
import NIOHTTP1
import NIOPosix
import SandpoolAPI

/// Opens connections to one coordinator on the process's one network thread.
struct Connector: Sendable {
    let endpoint: Endpoint

    private static let connectTimeout = TimeAmount.seconds(10)
    /// Bytes read at once: small for a plain answer, large once output flows.
    private static let receiveSizes = AdaptiveRecvByteBufferAllocator(
        minimum: 4 << 10, initial: 8 << 10, maximum: 1 << 20)

    /// One thread serves every connection of the process: a client moves bytes and computes nothing.
    private static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    /// Connects; a failure is one line of error.
    func connect() async throws -> Exchange {
        let loop = Self.group.next()
        let head = loop.makePromise(of: HTTPResponseHead.self)
        let bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(Self.connectTimeout)
            .channelOption(.recvAllocator, value: Self.receiveSizes)
        do {
            let exchange = try await open(bootstrap) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler = ExchangeHandler(endpoint: endpoint, head: head)
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    try channel.pipeline.syncOperations.addHandler(handler)
                    return Exchange(
                        channel: channel, handler: NIOLoopBound(handler, eventLoop: loop), head: head.futureResult,
                        endpoint: endpoint)
                }
            }
            PeerWatch.begin(exchange.channel)
            return exchange
        } catch {
            // A handler that was made has failed the promise already, and a second failure is ignored.
            head.fail(error)
            throw unreachable(error)
        }
    }

    private func open(
        _ bootstrap: ClientBootstrap,
        _ initializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Exchange>
    ) async throws -> Exchange {
        switch endpoint.address {
        case .unix(let path):
            return try await bootstrap.connect(unixDomainSocketPath: path, channelInitializer: initializer)
        case .tcp(let host, let port):
            // A literal address skips the resolver, which would start threads of its own.
            if let address = try? SocketAddress(ipAddress: host, port: port) {
                return try await bootstrap.connect(to: address, channelInitializer: initializer)
            }
            return try await bootstrap.connect(host: host, port: port, channelInitializer: initializer)
        }
    }

    private func unreachable(_ error: any Error) -> SandpoolError {
        SandpoolError(
            code: SandpoolError.codeUnreachable,
            message: "cannot reach coordinator at \(endpoint): \(reason(error))",
            hint: "start it, or try --local")
    }

    private func reason(_ error: any Error) -> String {
        switch error {
        case let error as IOError: describe(errno: error.errnoCode)
        case let error as NIOConnectionError:
            if let failure = error.connectionErrors.last?.error {
                reason(failure)
            } else {
                "unknown host \(error.host)"
            }
        case let error as ChannelError:
            if case .connectTimeout = error { "no answer within 10 s" } else { "\(error)" }
        default: "\(error)"
        }
    }

    private func describe(errno code: CInt) -> String {
        switch code {
        case ECONNREFUSED: "connection refused"
        case ENOENT: "no such socket"
        case EACCES: "permission denied"
        case EHOSTUNREACH, ENETUNREACH: "no route to host"
        default: String(cString: strerror(code))
        }
    }
}
