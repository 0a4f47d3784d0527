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

    init(slot: Int, plan: AddressPlan, factory: NamespaceFactory, side: HostSide) throws {
        self.slot = slot
        let address = plan.address(slot: slot)
        self.address = address
        let (namespace, (netfilter, sockets)) = try factory.make { _ in
            (try NetlinkSocket(.netfilter), try GatewaySockets(address: address))
        }
        guard let sockets else { throw NetworkError("open network: port 53 is taken in a new net namespace") }
        self.sockets = sockets
        descriptor = namespace.descriptor
        filter = EgressFilter(socket: netfilter)
        // The filter is there before the interface is. No other address has a port 53 that is let through.
        try filter.load(address: address, gateway: address)
        try side.connect(descriptor, token: UInt64(slot), address: address, gateway: plan.gateway)
        do {
            try namespace.route.configureSandbox(
                interface: Pasta.interface, address: address, gateway: plan.gateway, mtu: Pasta.mtu)
        } catch {
            side.disconnect(token: UInt64(slot))
            throw error
        }
    }
}
