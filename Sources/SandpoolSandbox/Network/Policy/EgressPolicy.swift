/// What an open sandbox may reach, checked: `SandboxPlan.Network.open` with its texts read.
public struct EgressPolicy: Equatable, Sendable {
    /// Bounds on what one sandbox may bring into the kernel and into the forwarder.
    static let networkLimit = 256
    static let domainLimit = 128

    /// With one of these two not empty, only they are reachable, and only the domains are looked up.
    public var allowed: [IPv4Network]
    public var domains: [DomainPattern]
    /// Taken out of `DroppedRanges` by the operator.
    public var opened: [IPv4Network]

    public init(allowCIDRs: [String], allowDomains: [String], openedCIDRs: [String]) throws(NetworkError) {
        allowed = try Self.networks(allowCIDRs, what: "--allow-cidr")
        opened = try Self.networks(openedCIDRs, what: "--egress-allow")
        guard allowDomains.count <= Self.domainLimit else {
            throw Self.refusal("--allow-domain: at most \(Self.domainLimit) names, not \(allowDomains.count)")
        }
        domains = []
        for text in allowDomains {
            guard let pattern = DomainPattern(text) else {
                throw Self.refusal(
                    "--allow-domain '\(Self.quoted(text))' is not a name such as example.org or *.example.org")
            }
            domains.append(pattern)
        }
    }

    public var isRestricted: Bool { !allowed.isEmpty || !domains.isEmpty }

    private static func networks(_ texts: [String], what: String) throws(NetworkError) -> [IPv4Network] {
        guard texts.count <= networkLimit else {
            throw refusal("\(what): at most \(networkLimit) ranges, not \(texts.count)")
        }
        var networks: [IPv4Network] = []
        for text in texts {
            if let network = IPv4Network(text) {
                networks.append(network)
            } else if text.contains(":") {
                throw refusal("\(what) '\(quoted(text))': IPv6 is not supported; give an IPv4 range")
            } else {
                throw refusal("\(what) '\(quoted(text))' is not an IPv4 range such as 192.0.2.0/24")
            }
        }
        return networks
    }

    private static func refusal(_ message: String) -> NetworkError {
        NetworkError(message, isUnenforceable: true)
    }

    /// Short and on one line, whatever it is.
    private static func quoted(_ text: String) -> String {
        String(text.unicodeScalars.prefix(64).map { $0.value < 32 || $0.value > 126 ? "?" : Character($0) })
    }
}
