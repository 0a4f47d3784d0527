import SandpoolModel
import SandpoolStore

extension MemoryStore {
    package mutating func insertToken(_ token: TokenRecord) throws {
        guard !issued.contains(where: { $0.hash == token.hash || $0.id == token.id }) else {
            throw StoreError.invalid("token \(token.id) or its hash exists")
        }
        issued.append(token)
    }

    package func token(hash: String) throws -> TokenRecord? {
        return issued.first { $0.hash == hash }
    }

    package func tokens() throws -> [TokenRecord] {
        return issued.sorted { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) }
    }

    package mutating func revokeToken(_ id: TokenID, now: Timestamp) throws -> Bool {
        guard let index = issued.firstIndex(where: { $0.id == id }) else { return false }
        issued[index].revokedAt = issued[index].revokedAt ?? now
        return true
    }
}
