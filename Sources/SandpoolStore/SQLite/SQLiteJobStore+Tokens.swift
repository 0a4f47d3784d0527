import GRDB
import SandpoolModel

extension SQLiteJobStore {
    public func insertToken(_ token: TokenRecord) async throws {
        try await write { database in
            _ = try database.change(
                TokenSQL.insert,
                [
                    token.id.text, token.name, token.role.rawValue, token.worker?.text, token.hash,
                    token.createdAt.milliseconds, token.revokedAt?.milliseconds,
                ])
        }
    }

    public func token(hash: String) async throws -> TokenRecord? {
        try await read { try $0.row(TokenSQL.byHash, [hash]).map(Self.token) }
    }

    public func tokens() async throws -> [TokenRecord] {
        try await read { try $0.rows(TokenSQL.all).map(Self.token) }
    }

    public func revokeToken(_ id: TokenID, now: Timestamp) async throws -> Bool {
        try await write { try $0.change(TokenSQL.revoke, [now.milliseconds, id.text]) == 1 }
    }

    static func token(from row: Row) throws -> TokenRecord {
        TokenRecord(
            id: try row.identifier("id"), name: try row.decode(forColumn: "name"), role: try row.word("role"),
            worker: try row.decode(String?.self, forColumn: "worker") == nil ? nil : row.identifier("worker"),
            hash: try row.decode(forColumn: "hash"), createdAt: try row.moment("created_at_ms"),
            revokedAt: try row.momentIfPresent("revoked_at_ms"))
    }
}
