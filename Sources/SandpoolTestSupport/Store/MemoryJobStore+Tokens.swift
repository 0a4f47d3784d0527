import SandpoolModel
import SandpoolStore

extension MemoryJobStore {
    public func insertToken(_ token: TokenRecord) throws {
        try checkOpen()
        guard !issued.contains(where: { $0.hash == token.hash || $0.id == token.id }) else {
            throw StoreError.invalid("token \(token.id) or its hash exists")
        }
        issued.append(token)
    }

    public func token(hash: String) throws -> TokenRecord? {
        try checkOpen()
        return issued.first { $0.hash == hash }
    }

    public func tokens() throws -> [TokenRecord] {
        try checkOpen()
        return issued.sorted { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) }
    }

    public func revokeToken(_ id: TokenID, now: Timestamp) throws -> Bool {
        try checkOpen()
        guard let index = issued.firstIndex(where: { $0.id == id }) else { return false }
        issued[index].revokedAt = issued[index].revokedAt ?? now
        return true
    }
}
