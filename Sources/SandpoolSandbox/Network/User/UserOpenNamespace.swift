import LinuxSystem

/// An open sandbox's net namespace without root: the filter, the DNS forwarder's sockets, and an interface that pasta
/// serves. The launcher's user namespace owns it, so that root in the sandbox has no say over it.
struct UserOpenNamespace {
    let slot: Int
    let address: UInt32
    let descriptor: FileDescriptor
    let filter: EgressFilter
    /// At the sandbox's own address, so that nothing asked of them passes the interface.
    let sockets: GatewaySockets
    private let gateway: UInt32
    private let route: NetlinkSocket

    /// One without an interface, and with a filter that lets nothing out.
    init(slot: Int, plan: AddressPlan, factory: NamespaceFactory) throws {
        self.slot = slot
        let address = plan.address(slot: slot)
        self.address = address
        gateway = plan.gateway
        let (namespace, (netfilter, sockets)) = try factory.make { _ in
            (try NetlinkSocket(.netfilter), try GatewaySockets(address: address))
        }
        guard let sockets else { throw NetworkError("open network: port 53 is taken in a new net namespace") }
        self.sockets = sockets
        descriptor = namespace.descriptor
        route = namespace.route
        filter = EgressFilter(socket: netfilter)
        // The filter is there before the interface is. No other address has a port 53 that is let through.
        try filter.load(address: address, gateway: address)
    }

    var place: PastaProcesses.Place {
        PastaProcesses.Place(namespace: descriptor, address: address, gateway: gateway)
    }

    /// Once pasta has made the interface, be it the first or one after another.
    func configure() throws {
        try route.configureSandbox(interface: Pasta.interface, address: address, gateway: gateway, mtu: Pasta.mtu)
    }
}
