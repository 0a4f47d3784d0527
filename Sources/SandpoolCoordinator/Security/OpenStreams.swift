import NIOCore
import SandpoolModel
import Synchronization

/// Long-lived requests by the token that opened them, so that revoking it ends them.
final class OpenStreams: Sendable {
    private let channels = Mutex<[TokenID: [ObjectIdentifier: any Channel]]>([:])

    /// Runs `body` while the channel is known to belong to the principal.
    func track<Value>(
        _ channel: any Channel, of principal: Principal, _ body: () async throws -> Value
    ) async rethrows -> Value {
        guard let token = principal.token else { return try await body() }
        let key = ObjectIdentifier(channel)
        channels.withLock { $0[token, default: [:]][key] = channel }
        defer {
            channels.withLock { table in
                table[token]?[key] = nil
                if table[token]?.isEmpty == true { table[token] = nil }
            }
        }
        return try await body()
    }

    /// Closes everything that a token has open.
    func cut(_ token: TokenID) {
        let open = channels.withLock { $0[token] ?? [:] }
        for channel in open.values { channel.close(promise: nil) }
    }
}
