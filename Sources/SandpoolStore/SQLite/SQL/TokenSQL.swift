/// Statements about tokens.
enum TokenSQL {
    static let insert = """
        INSERT INTO tokens (id, name, role, worker, hash, created_at_ms, revoked_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?)
        """
    private static let columns = "SELECT id, name, role, worker, hash, created_at_ms, revoked_at_ms FROM tokens"
    static let byHash = "\(columns) WHERE hash = ?"
    static let all = "\(columns) ORDER BY created_at_ms, id"
    static let worker = "SELECT worker FROM tokens WHERE id = ?"
    static let revoke = "UPDATE tokens SET revoked_at_ms = coalesce(revoked_at_ms, ?) WHERE id = ?"
}
