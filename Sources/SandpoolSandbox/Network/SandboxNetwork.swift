import Glibc
import LinuxSystem

/// Net namespaces for sandboxes: pools of ready ones, blocked and open, and what open ones need on the host.
///
/// Nothing is made on the host before the first open sandbox. All on the launcher's one thread; calls wait for
/// the kernel only.
public final class SandboxNetwork: NetworkProvider {
    public struct Configuration: Sendable {
        /// How many blocked namespaces are kept ready: each costs the kernel about 100 KiB.
        public var blockedReady = 16
        /// How many open ones, from the first open sandbox on.
        public var openReady = 4
        /// Names the DNS servers that sandboxes' questions go to (resolv.conf(5)).
        public var resolverPath = "/etc/resolv.conf"
        /// Where to write down what is changed on the host, for the next launcher to undo after a crash.
        public var stateDirectory: FileDescriptor?

        public init() {}
    }

    /// What is kept for one open sandbox until it is given back.
    struct OpenSandbox {
        var namespace: OpenNamespace
        var opened: [IPv4Network]
        /// As it was asked for.
        var policy: SandboxPlan.Network
    }

    private static let forwardingIntervalMs: UInt64 = 5_000

    private let configuration: Configuration
    private let loop: EventLoop
    private let factory: NamespaceFactory
    private let record: ForwardingRecord?
    private var blocked: BlockedNamespaces
    private var openPool: [OpenNamespace] = []
    private(set) var openSandboxes: [UInt64: OpenSandbox] = [:]
    private(set) var slots = SlotQueue(count: AddressPlan.slotCount)
    private var openedCounts: [IPv4Network: Int] = [:]
    private(set) var lastToken: UInt64 = 0
    private(set) var host: HostNetwork?
    private(set) var forwarder: ForwarderProcess?
    private var forwardingCheckedMs: UInt64 = 0

    public convenience init(configuration: Configuration = Configuration(), loop: EventLoop) throws(NetworkError) {
        try self.init(configuration, loop)
        do { try record?.restore() } catch {
            Diagnostics.write("cannot undo what an earlier launcher changed on the host's interfaces: \(error)")
        }
    }

    /// - Parameter state: what the program before in this process has on the host; nil where it has nothing.
    convenience init(
        takingOver state: LauncherState.NetworkState?, _ inherited: InheritedDescriptors,
        configuration: Configuration, loop: EventLoop
    ) throws {
        try self.init(configuration, loop)
        if let state { try takeOver(state, inherited) }
    }

    private init(_ configuration: Configuration, _ loop: EventLoop) throws(NetworkError) {
        self.configuration = configuration
        self.loop = loop
        do {
            factory = try NamespaceFactory()
            blocked = BlockedNamespaces(factory, ready: configuration.blockedReady)
        } catch {
            throw NetworkError(describing: error, while: "open this process's net namespace")
        }
        do {
            record = try configuration.stateDirectory.map { directory in try ForwardingRecord(in: directory) }
        } catch {
            throw NetworkError(describing: error, while: "tell which boot and net namespace this is")
        }
    }

    private func takeOver(_ state: LauncherState.NetworkState, _ inherited: InheritedDescriptors) throws {
        guard let sockets = GatewaySockets([try inherited.take(state.datagram), try inherited.take(state.stream)])
        else { return }
        let host = try HostNetwork(
            takingOver: AddressPlan.candidates[Int(state.plan)], sockets: sockets, record: record)
        self.host = host
        lastToken = state.lastToken
        slots = SlotQueue(
            count: AddressPlan.slotCount, fresh: Int(state.usedSlots), inUse: Set(state.sandboxes.map { Int($0.slot) }))
        let forwarder =
            if let known = state.forwarder {
                try ForwarderProcess(
                    takingOver: try inherited.take(known.process),
                    SeqPacketSocket(try inherited.take(known.control)), sockets: sockets,
                    resolverPath: configuration.resolverPath, loop: loop)
            } else {
                try ForwarderProcess(sockets: sockets, resolverPath: configuration.resolverPath, loop: loop)
            }
        self.forwarder = forwarder
        for sandbox in state.sandboxes { try takeOver(sandbox, host, forwarder, inherited) }
        if state.forwarder == nil { try forwarder.admitAll() }
        try host.addresses.follow(in: loop) { [unowned self] in followAddresses() }
        // They may have changed while nobody followed.
        followAddresses()
    }

    private func takeOver(
        _ state: LauncherState.NetworkState.OpenSandbox, _ host: HostNetwork, _ forwarder: ForwarderProcess,
        _ inherited: InheritedDescriptors
    ) throws {
        guard case .open(let allowCIDRs, let allowDomains, let openedCIDRs) = state.policy else { return }
        let policy = try EgressPolicy(allowCIDRs: allowCIDRs, allowDomains: allowDomains, openedCIDRs: openedCIDRs)
        let namespace = try OpenNamespace(
            slot: Int(state.slot), host: host, descriptor: try inherited.take(state.namespace),
            netfilter: NetlinkSocket(try inherited.take(state.netfilter)))
        openSandboxes[state.token] = OpenSandbox(
            namespace: namespace, opened: policy.opened, policy: state.policy)
        for network in policy.opened { openedCounts[network, default: 0] += 1 }
        forwarder.takeOver(address: namespace.address, token: state.token, policy, filter: namespace.filter)
    }

    public func take(_ asked: SandboxPlan.Network, sandbox: String) throws(NetworkError) -> NetworkLease {
        switch asked {
        case .blocked:
            return try blocked.take()
        case .open(let allowCIDRs, let allowDomains, let openedCIDRs):
            let policy = try EgressPolicy(
                allowCIDRs: allowCIDRs, allowDomains: allowDomains, openedCIDRs: openedCIDRs)
            do { return try takeOpen(policy, asked, sandbox: sandbox) } catch {
                throw NetworkError(describing: error, while: "make an open network for \(sandbox)")
            }
        }
    }

    public func giveBack(_ lease: NetworkLease) {
        guard let sandbox = openSandboxes.removeValue(forKey: lease.token) else { return }
        forwarder?.forget(address: sandbox.namespace.address, token: lease.token)
        slots.giveBack(sandbox.namespace.slot)
        release(sandbox.opened)
    }

    public func refill() -> Bool {
        // What fails here is tried again by `take`, which says why.
        if blocked.isShort { return blocked.refill() }
        guard let host else { return false }
        followRoutes(host)
        guard openPool.count < configuration.openReady, let namespace = try? makeOpen(host) else { return false }
        openPool.append(namespace)
        return true
    }

    public func shutDown() {
        blocked.shutDown()
        openPool = []
        openSandboxes = [:]
        forwarder?.stop()
        forwarder = nil
        host?.addresses.unfollow()
        host?.remove()
        host = nil
    }

    private func takeOpen(
        _ policy: EgressPolicy, _ asked: SandboxPlan.Network, sandbox: String
    ) throws -> NetworkLease {
        let (host, forwarder) = try openHost()
        let namespace = try openPool.popLast() ?? makeOpen(host)
        lastToken += 1
        let token = lastToken
        var isTaken = false
        defer { if !isTaken { slots.giveBack(namespace.slot) } }
        namespace.setOwner(sandbox)
        try forwarder.admit(address: namespace.address, token: token, policy, filter: namespace.filter)
        defer { if !isTaken { forwarder.forget(address: namespace.address, token: token) } }
        try open(policy.opened, host)
        defer { if !isTaken { release(policy.opened) } }
        // Before the host's addresses are read: a change after that is heard of.
        openSandboxes[token] = OpenSandbox(namespace: namespace, opened: policy.opened, policy: asked)
        defer { if !isTaken { openSandboxes[token] = nil } }
        // Last: from here on packets leave.
        try namespace.filter.open(policy, hostRanges: host.unreachableRanges())
        isTaken = true
        return NetworkLease(
            namespace: namespace.descriptor,
            resolvConf: Array("nameserver \(IPv4Address.text(host.plan.gateway))\n".utf8),
            hostsAddress: IPv4Address.text(namespace.address), token: token)
    }

    private func openHost() throws -> (HostNetwork, ForwarderProcess) {
        if let host, let forwarder { return (host, forwarder) }
        let host = try HostNetwork(record: record)
        do {
            let forwarder = try ForwarderProcess(
                sockets: host.sockets, resolverPath: configuration.resolverPath, loop: loop)
            do { try host.addresses.follow(in: loop) { [unowned self] in followAddresses() } } catch {
                forwarder.stop()
                throw error
            }
            self.host = host
            self.forwarder = forwarder
            return (host, forwarder)
        } catch {
            host.remove()
            throw error
        }
    }

    private func makeOpen(_ host: HostNetwork) throws -> OpenNamespace {
        // Ended namespaces go in the background; one that is still there keeps its interface.
        for _ in 0..<AddressPlan.slotCount {
            guard let slot = slots.take() else { break }
            do {
                return try OpenNamespace(slot: slot, host: host, factory: factory)
            } catch let error as SystemError where error.code == EEXIST {
                slots.giveBack(slot)
            } catch {
                slots.giveBack(slot)
                throw error
            }
        }
        throw AddressPlan.allInUse
    }

    /// The host's own table keeps sandboxes off the host as well, but not after somebody flushed it.
    private func followAddresses() {
        guard let host, !openSandboxes.isEmpty else { return }
        do {
            let ranges = try host.unreachableRanges()
            for sandbox in openSandboxes.values { try sandbox.namespace.filter.setHost(ranges) }
        } catch {
            Diagnostics.write(
                "cannot follow the host's addresses inside of sandboxes, so the host's own table alone keeps them off "
                    + "new ones: \(error)")
        }
    }

    private func followRoutes(_ host: HostNetwork) {
        let now = BoottimeClock.milliseconds()
        guard now >= forwardingCheckedMs + Self.forwardingIntervalMs else { return }
        forwardingCheckedMs = now
        try? host.updateForwarding()
    }

    private func open(_ networks: [IPv4Network], _ host: HostNetwork) throws {
        let before = openedCounts.count
        for network in networks { openedCounts[network, default: 0] += 1 }
        guard openedCounts.count != before else { return }
        do { try host.setOpened(Array(openedCounts.keys)) } catch {
            release(networks)
            throw error
        }
    }

    private func release(_ networks: [IPv4Network]) {
        let before = openedCounts.count
        for network in networks {
            guard let count = openedCounts[network] else { continue }
            openedCounts[network] = count > 1 ? count - 1 : nil
        }
        // A range that stays open on the host is still closed inside every namespace but its own.
        if openedCounts.count != before { try? host?.setOpened(Array(openedCounts.keys)) }
    }
}
