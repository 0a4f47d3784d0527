import LinuxSystem

/// The network of an ordinary user's launcher: blocked namespaces as for root, and open ones by pasta.
///
/// Nothing is made ahead of need: each open one has a process with 20 MiB. Making one waits for that process's start.
final class UserNetwork: NetworkProvider {
    private let side: HostSide
    private let loop: EventLoop
    private let factory: NamespaceFactory
    private var blocked: BlockedNamespaces
    private var open: [UInt64: UserOpenNamespace] = [:]
    private var slots = SlotQueue(count: AddressPlan.slotCount)
    private var plan: AddressPlan?
    private var forwarder: ForwarderProcess?
    private var lastToken: UInt64 = 0

    init(_ side: HostSide, _ ids: IdSpace, _ loop: EventLoop) throws(NetworkError) {
        self.side = side
        self.loop = loop
        do {
            factory = try NamespaceFactory(lastGroup: ids.count - 1)
            blocked = BlockedNamespaces(factory, ready: SandboxNetwork.Configuration().blockedReady)
            try loop.watch(side.changes.descriptor, .readable) { [unowned self] in followAddresses() }
        } catch {
            throw NetworkError(describing: error, while: "open this process's net namespace")
        }
    }

    func take(_ policy: SandboxPlan.Network, slot: UInt32, sandbox: String) throws(NetworkError) -> NetworkLease {
        guard case .open(let allowCIDRs, let allowDomains, let openedCIDRs) = policy else {
            return try blocked.take(slot: slot)
        }
        let policy = try EgressPolicy(allowCIDRs: allowCIDRs, allowDomains: allowDomains, openedCIDRs: openedCIDRs)
        do { return try takeOpen(policy, slot: slot) } catch {
            throw NetworkError(describing: error, while: "make an open network for \(sandbox)")
        }
    }

    func giveBack(_ lease: NetworkLease) {
        guard let namespace = open.removeValue(forKey: lease.token) else { return }
        forwarder?.forget(address: namespace.address, token: lease.token)
        discard(namespace.slot)
    }

    func refill() -> Bool { blocked.isShort && blocked.refill() }

    func shutDown() {
        blocked.shutDown()
        loop.forget(side.changes.descriptor)
        for namespace in open.values { side.disconnect(token: UInt64(namespace.slot)) }
        open = [:]
        forwarder?.stop()
        forwarder = nil
    }

    private func takeOpen(_ policy: EgressPolicy, slot: UInt32) throws -> NetworkLease {
        let plan = try self.plan ?? side.freePlan()
        self.plan = plan
        let forwarder =
            try self.forwarder
            ?? ForwarderProcess(loop: loop) { [side] theirs in
                try side.startForwarder(theirs)
                return nil
            }
        self.forwarder = forwarder
        let namespace = try make(plan)
        // A slot is used again when every other was; a token is not.
        lastToken += 1
        let token = lastToken
        do {
            try forwarder.admit(
                address: namespace.address, token: token, policy, filter: namespace.filter, sockets: namespace.sockets)
            // Before its addresses are read: a change after that is heard of.
            open[token] = namespace
            // Last: from here on packets leave.
            try namespace.filter.open(policy, hostRanges: unreachable(plan))
        } catch {
            open[token] = nil
            forwarder.forget(address: namespace.address, token: token)
            discard(namespace.slot)
            throw error
        }
        return NetworkLease(
            namespace: namespace.descriptor, slot: slot,
            resolvConf: Array("nameserver \(IPv4Address.text(namespace.address))\n".utf8),
            hostsAddress: IPv4Address.text(namespace.address), token: token)
    }

    private func make(_ plan: AddressPlan) throws -> UserOpenNamespace {
        guard let slot = slots.take() else { throw AddressPlan.allInUse }
        do { return try UserOpenNamespace(slot: slot, plan: plan, factory: factory, side: side) } catch {
            slots.giveBack(slot)
            throw error
        }
    }

    private func discard(_ slot: Int) {
        side.disconnect(token: UInt64(slot))
        slots.giveBack(slot)
    }

    private func unreachable(_ plan: AddressPlan) throws -> [ClosedRange<UInt32>] {
        try side.addresses().map { $0...$0 } + [plan.network.range]
    }

    /// pasta's connections come from the host itself, so there is no second line that knows its addresses.
    private func followAddresses() {
        side.changes.drain()
        guard let plan, !open.isEmpty else { return }
        do {
            let ranges = try unreachable(plan)
            for namespace in open.values { try namespace.filter.setHost(ranges) }
        } catch {
            Diagnostics.write("cannot follow the host's addresses, so every open network ends: \(error)")
            for namespace in open.values { side.disconnect(token: UInt64(namespace.slot)) }
        }
    }
}
