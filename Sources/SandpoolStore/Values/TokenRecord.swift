import SandpoolModel

/// A token without its secret.
public struct TokenRecord: Hashable, Sendable {
    public var id: TokenID
    public var name: String
    public var role: TokenRole
    /// The only worker that may use it, and that it was made for; `nil` for whoever has it.
    public var worker: WorkerID?
    /// Digest of the secret; unique.
    public var hash: String
    public var createdAt: Timestamp
    public var revokedAt: Timestamp?

    public init(
        id: TokenID, name: String, role: TokenRole, worker: WorkerID? = nil, hash: String, createdAt: Timestamp,
        revokedAt: Timestamp? = nil
    ) {
        self.id = id
        self.name = name
        self.role = role
        self.worker = worker
        self.hash = hash
        self.createdAt = createdAt
        self.revokedAt = revokedAt
    }
}
