/// What the one host of a pool cannot do. Where a job asks for it, it is refused; a default is left out.
///
/// In no configuration file: `--local` without root finds it out.
public struct HostGaps: Hashable, Sendable {
    /// Why memory, processes and processor cannot be limited, one line with what to do. `nil`: they can.
    public var unlimitedBecause: String?
    /// Why no network can be opened, one line with what to do. `nil`: it can.
    public var blockedBecause: String?

    public init() {}
}

extension JobSpec {
    /// The spec as it was sent, cut to what the host can do.
    func fitted(to gaps: HostGaps) throws(SpecProblem) -> JobSpec {
        var spec = self
        if let reason = gaps.unlimitedBecause {
            let asked: [(key: String, isAsked: Bool)] = [
                ("cpus", resources.cpus != nil), ("memoryBytes", resources.memoryBytes != nil),
                ("pids", resources.pids != nil),
            ]
            try refuse(asked, "cannot be limited: \(reason)")
        }
        if let reason = gaps.blockedBecause, !network.isBlocked {
            let asked: [(key: String, isAsked: Bool)] = [
                ("allowCIDRs", !network.allowCIDRs.isEmpty), ("allowDomains", !network.allowDomains.isEmpty),
                ("blockNetwork", network.block != nil),
            ]
            try refuse(asked, "no network can be opened: \(reason)")
            spec.network.block = true
        }
        return spec
    }

    private func refuse(_ asked: [(key: String, isAsked: Bool)], _ why: String) throws(SpecProblem) {
        if let first = asked.first(where: \.isAsked) { throw SpecProblem(.unenforceable, at: first.key, why) }
    }
}
