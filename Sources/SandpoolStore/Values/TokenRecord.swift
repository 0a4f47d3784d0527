import SandpoolModel

/// A token without its secret.
public struct TokenRecord: Hashable, Sendable {
    public var id: TokenID
    public var name: String
    public var role: TokenRole
    /// Digest of the secret; unique.
    public var hash: String
    public var createdAt: Timestamp
    public var revokedAt: Timestamp?

    public init(
        id: TokenID, name: String, role: TokenRole, hash: String, createdAt: Timestamp, revokedAt: Timestamp? = nil
    ) {
        self.id = id
        self.name = name
        self.role = role
        self.hash = hash
        self.createdAt = createdAt
        self.revokedAt = revokedAt
    }
}
