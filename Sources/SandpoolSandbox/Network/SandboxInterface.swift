import LinuxSystem

extension NetlinkSocket {
    /// Gives the interface of a sandbox's namespace its address and its way out.
    ///
    /// - Parameter mtu: in bytes; nil leaves it as it is.
    func configureSandbox(interface: String, address: UInt32, gateway: UInt32, mtu: UInt32? = nil) throws {
        let link = try linkIndex(interface)
        // EAFNOSUPPORT: a kernel without IPv6, which has no such addresses either.
        try? execute([RouteRequest.withoutIPv6Address(link: link)], stage: "IPv6 off")
        try execute(
            [
                RouteRequest.addAddress(address, link: link),
                RouteRequest.setUp(link: link, mtu: mtu),
                // The gateway is on no common network: it is reached on the link by its own route.
                RouteRequest.addHostRoute(to: gateway, link: link),
                RouteRequest.addDefaultRoute(via: gateway, link: link),
            ], stage: "configure the sandbox's interface")
    }
}
