/// What a token may do.
public enum TokenRole: String, Codable, Hashable, Sendable, CaseIterable {
    case admin, submit, read, worker
}
