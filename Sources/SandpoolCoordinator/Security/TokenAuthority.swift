import SandpoolAPI
import SandpoolModel
import SandpoolStore
import Synchronization

/// Who makes a request, and what they may do.
struct Principal: Hashable, Sendable {
    /// The token; `nil` for a peer of the Unix domain socket.
    var token: TokenID?
    var role: TokenRole

    /// Whoever can open the socket owns the data directory.
    static let local = Principal(token: nil, role: .admin)

    func may(_ permission: Permission) -> Bool {
        switch permission {
        case .none: true
        case .read: role != .worker
        case .submit: role == .submit || role == .admin
        case .admin: role == .admin
        case .worker: role == .worker || token == nil
        }
    }
}

/// What a route demands.
enum Permission: String, Hashable, Sendable {
    case none, read, submit, admin, worker
}

/// Makes, knows and revokes tokens. All of them are held in memory, by hash: the store is read once.
final class TokenAuthority: Sendable {
    private let store: any JobStore
    private let clock: any CoordinatorClock
    private let live = Mutex<[String: TokenRecord]>([:])
    private let streams: OpenStreams

    init(store: any JobStore, clock: any CoordinatorClock, streams: OpenStreams) {
        self.store = store
        self.clock = clock
        self.streams = streams
    }

    /// Reads the stored tokens; whether there were any.
    func load() async throws -> Bool {
        let tokens = try await store.tokens()
        live.withLock { table in
            for token in tokens where token.revokedAt == nil { table[token.hash] = token }
        }
        return !tokens.isEmpty
    }

    /// The principal of an `Authorization` header; `nil` where it is not a valid bearer token.
    func principal(authorization header: String?) -> Principal? {
        guard let header, header.utf8.count <= 512, let space = header.firstIndex(of: " "),
            header[..<space].lowercased() == "bearer"
        else { return nil }
        let hash = Secret.hash(header[header.index(after: space)...])
        return live.withLock { $0[hash] }.map { Principal(token: $0.id, role: $0.role) }
    }

    /// Whether a token is not revoked.
    func isLive(_ id: TokenID) -> Bool { live.withLock { $0.values.contains { $0.id == id } } }

    /// Makes a token and returns its secret, which is stored nowhere.
    ///
    /// - Parameter worker: the worker whose next token it is.
    func create(name: String, role: TokenRole, worker: WorkerID? = nil) async throws -> CreatedToken {
        let secret = Secret.token()
        let now = clock.now
        let record = TokenRecord(
            id: .make(at: now), name: name, role: role, worker: worker, hash: Secret.hash(secret), createdAt: now)
        try await store.insertToken(record)
        live.withLock { $0[record.hash] = record }
        return CreatedToken(token: TokenInfo(record), secret: secret)
    }

    /// Revokes a token at once and cuts what it has open; whether there is such a token.
    func revoke(_ id: TokenID) async throws -> Bool {
        let known = try await store.revokeToken(id, now: clock.now)
        live.withLock { table in table = table.filter { $0.value.id != id } }
        streams.cut(id)
        return known
    }
}

extension TokenInfo {
    init(_ record: TokenRecord) {
        self.init(
            id: record.id, name: record.name, role: record.role, worker: record.worker, createdAt: record.createdAt,
            revokedAt: record.revokedAt)
    }
}
