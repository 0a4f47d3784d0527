import ArgumentParser
import SandpoolModel

/// What the sandbox may reach.
struct NetworkOptions: ParsableArguments {
    @Flag(help: "No network but the sandbox's own loopback.")
    var blockNetwork = false
    @Option(
        name: .customLong("allow-cidr"),
        help: .init("Reach only this network, such as 192.0.2.0/24; can be repeated.", valueName: "cidr"))
    var allowCIDRs: [String] = []
    @Option(
        name: .customLong("allow-domain"),
        help: .init("Reach only this domain; *.example.org is every name below it.", valueName: "domain"))
    var allowDomains: [String] = []

    func apply(to spec: inout JobSpec) {
        if blockNetwork { spec.network.block = true }
        spec.network.allowCIDRs = allowCIDRs
        spec.network.allowDomains = allowDomains
    }
}
