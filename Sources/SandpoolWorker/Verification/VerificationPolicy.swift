/// When a worker attacks its own sandbox before it takes jobs (Docs/decisions/0019).
public struct VerificationPolicy: Hashable, Sendable {
    enum Kind { case atStart, oncePerBoot, never }

    let kind: Kind

    /// At every start.
    public static let atStart = VerificationPolicy(kind: .atStart)
    /// At the first start after a boot, and again after a change of kernel, of Sandpool or of its programs.
    public static let oncePerBoot = VerificationPolicy(kind: .oncePerBoot)
    /// For tests in which there is nothing to attack.
    static let never = VerificationPolicy(kind: .never)
}

/// How much is tried.
public enum VerificationExtent: String, Codable, Sendable {
    /// What is over in a moment and makes nothing on the host: with the network blocked.
    case quick
    /// With an open network, too.
    case full
    /// More of each resource than the limits allow, too: takes seconds.
    case exhaustive
}
