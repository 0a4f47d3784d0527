import Glibc
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import SandpoolAPI
import ServiceLifecycle

/// The listening socket and everything behind it.
struct HTTPService: Sendable {
    let parts: CoordinatorParts
    let onListening: @Sendable (ListenAddress) async -> Void

    /// Most connections at once; more wait in the kernel's backlog.
    private static let connections = 8_192
    private static let headerBytes = 64 << 10
    private static let headerFields = 100

    /// Serves until a graceful shutdown, which lets requests end and cuts streams, or cancellation.
    func run() async throws {
        var logger = parts.logger
        // The server logs each connection's end; that is of use only when looking for a fault in it.
        logger.logLevel = max(logger.logLevel, .warning)
        let listen = parts.configuration.listen
        let app = Application(
            responder: APIResponder(parts: parts, trustsPeers: listen.trustsPeers),
            server: .http1(configuration: channelConfiguration),
            configuration: ApplicationConfiguration(
                address: listen.bindAddress, serverName: nil,
                availableConnectionsDelegate: MaximumAvailableConnections(Self.connections)),
            onServerRunning: { await announce($0) }, logger: logger)
        let (hub, execs, core) = (parts.hub, parts.execs, parts.core)
        do {
            try await withGracefulShutdownHandler {
                try await app.run()
            } onGracefulShutdown: {
                hub.failAll(.shuttingDown)
                execs.failAll(.shuttingDown)
                core.feed(.stopping)
            }
        } catch let error as IOError {
            throw CoordinatorError(Self.describe(error, listen))
        }
    }

    private var channelConfiguration: HTTP1Channel.Configuration {
        HTTP1Channel.Configuration(
            additionalChannelHandlers: [RequestGuard()],
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: Self.headerBytes, maxHeaderListSize: Self.headerBytes,
                maxHeaderFieldCount: Self.headerFields))
    }

    private func announce(_ channel: any Channel) async {
        var bound = parts.configuration.listen
        switch bound {
        case .tcp(let host, _):
            bound = .tcp(host: host, port: channel.localAddress?.port ?? 0)
        case .unix(let path):
            // The directory is private already; the mode says the same of the socket itself.
            chmod(path, 0o600)
        }
        parts.logger.info(
            "listening",
            metadata: [
                "address": "\(bound)", "generation": "\(parts.store.identity.generation)",
                "workers": "\(parts.core.workers.count)",
            ])
        await onListening(bound)
    }

    private static func describe(_ error: IOError, _ listen: ListenAddress) -> String {
        switch error.errnoCode {
        case EADDRINUSE: "\(listen) is in use by another process; stop it or choose another --listen"
        case EADDRNOTAVAIL: "\(listen) is not an address of this host; choose another --listen"
        case EACCES: "\(listen) needs a privilege that this user lacks; choose a port from 1024 on"
        default: "cannot listen on \(listen): \(String(cString: strerror(error.errnoCode)))"
        }
    }
}

extension ListenAddress {
    fileprivate var bindAddress: BindAddress {
        switch self {
        case .tcp(let host, let port): .hostname(host, port: port)
        case .unix(let path): .unixDomainSocket(path: path)
        }
    }
}
