/// What a pool gives and what it allows.
public struct PoolConfiguration: Hashable, Sendable, Codable {
    public var defaults = PoolDefaults()
    public var limits = PoolLimits()
    public var gaps = HostGaps()

    enum CodingKeys: String, CodingKey, CaseIterable { case defaults, limits }

    public init() {}

    public init(from decoder: any Decoder) throws {
        let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
        defaults = try values.decodeIfPresent(PoolDefaults.self, forKey: .defaults) ?? defaults
        limits = try values.decodeIfPresent(PoolLimits.self, forKey: .limits) ?? limits
    }

    /// The spec as it is stored: every default filled in, and every value within this pool's limits.
    public func accept(_ spec: JobSpec) throws(SpecProblem) -> JobSpec {
        let filled = try spec.fitted(to: gaps).filled(with: defaults)
        try filled.validate(limits: limits)
        return filled
    }

    /// Throws when no job could run: a limit that is no number, or a default beyond the pool's own limits. The
    /// problem's key begins with `defaults`.
    public func check() throws(SpecProblem) {
        var plain = JobSpec(command: ["true"])
        if !limits.allowsNetwork { plain.network.block = true }
        do {
            _ = try accept(plain)
        } catch {
            var problem = error
            problem.key = "defaults.\(error.key)"
            throw problem
        }
    }
}
