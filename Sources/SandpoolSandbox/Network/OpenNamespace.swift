import LinuxSystem

/// A ready namespace for an open sandbox: a routed veth whose sandbox end was born in it, and the filter,
/// which lets nothing out yet. It goes with its last process; its link is never deleted (22 ms).
struct OpenNamespace {
    private static let interface = "eth0"

    let slot: Int
    let address: UInt32
    let descriptor: FileDescriptor
    let filter: EgressFilter
    private let hostLink: UInt32
    private let hostRoute: NetlinkSocket

    /// EEXIST when the namespace that used the slot last is not quite gone.
    init(slot: Int, host: HostNetwork, factory: NamespaceFactory) throws {
        self.slot = slot
        let plan = host.plan
        address = plan.address(slot: slot)
        let (namespace, netfilter) = try factory.make { _ in try NetlinkSocket(.netfilter) }
        descriptor = namespace.descriptor
        filter = EgressFilter(socket: netfilter)
        hostRoute = host.route
        // The filter is there before the first interface is.
        try filter.load(address: address, gateway: plan.gateway)
        let name = plan.interfaceName(slot: slot)
        try host.route.execute(
            [
                RouteRequest.createVeth(
                    name: name, group: HostTable.interfaceGroup, peerName: Self.interface,
                    peerNamespace: descriptor.raw, mtu: host.mtu)
            ], stage: "create \(name)")
        hostLink = try host.route.linkIndex(name)
        try namespace.route.configureSandbox(interface: Self.interface, address: address, gateway: plan.gateway)
        try configureHostEnd(plan, name: name)
    }

    /// One that the program before made for a sandbox which has it.
    init(slot: Int, host: HostNetwork, descriptor: FileDescriptor, netfilter: NetlinkSocket) throws {
        self.slot = slot
        self.descriptor = descriptor
        address = host.plan.address(slot: slot)
        filter = EgressFilter(socket: netfilter)
        hostRoute = host.route
        // Nothing is named after its owner any more.
        hostLink = (try? host.route.linkIndex(host.plan.interfaceName(slot: slot))) ?? 0
    }

    private func configureHostEnd(_ plan: AddressPlan, name: String) throws {
        try? hostRoute.execute([RouteRequest.withoutIPv6Address(link: hostLink)], stage: "IPv6 off")
        try hostRoute.execute(
            [
                RouteRequest.set(
                    [(.forwarding, 1), (.reversePathFilter, 1), (.acceptRedirects, 0), (.sendRedirects, 0)],
                    link: hostLink),
                RouteRequest.setUp(link: hostLink),
                RouteRequest.addHostRoute(to: address, link: hostLink, preferredSource: plan.gateway),
            ], stage: "configure \(name)")
    }

    /// Names the host's end after the sandbox, for people who look. Nothing depends on it, so a name that is
    /// taken (an earlier namespace of that name still ends) is left out.
    func setOwner(_ sandbox: String) {
        try? hostRoute.execute(
            [RouteRequest.addAlternativeName(sandbox, link: hostLink)], stage: "name the interface of \(sandbox)")
    }
}
