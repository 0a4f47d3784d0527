import NIOCore
import SandpoolAPI
import SandpoolModel
import Synchronization

/// Long-lived requests by the token that opened them, so that revoking it ends them.
final class OpenStreams: Sendable {
    private let channels = Mutex<[TokenID: [ObjectIdentifier: any Channel]]>([:])

    /// Runs `body` while the channel is known to belong to the principal.
    ///
    /// - Parameter tokens: asked once the channel is known. A token that was revoked since the request came had nothing
    ///   to be cut then.
    /// - Throws: 401 for a token that is revoked, and what `body` throws.
    func track<Value>(
        _ channel: any Channel, of principal: Principal, knownTo tokens: TokenAuthority,
        _ body: () async throws -> Value
    ) async throws -> Value {
        guard let token = principal.token else { return try await body() }
        let key = ObjectIdentifier(channel)
        channels.withLock { $0[token, default: [:]][key] = channel }
        defer {
            channels.withLock { table in
                table[token]?[key] = nil
                if table[token]?.isEmpty == true { table[token] = nil }
            }
        }
        guard tokens.isLive(token) else { throw APIError.unauthorized }
        return try await body()
    }

    /// Closes everything that a token has open.
    func cut(_ token: TokenID) {
        let open = channels.withLock { $0[token] ?? [:] }
        for channel in open.values { channel.close(promise: nil) }
    }
}
