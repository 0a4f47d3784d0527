import LinuxSystem

/// The network of an ordinary user's launcher: blocked namespaces as for root, and open ones by pasta.
///
/// Nothing is made ahead of need: each open one has a process with 20 MiB. `prepare` has it started while the launcher
/// does other things.
final class UserNetwork: NetworkProvider {
    /// Of one sandbox's pasta, which may end by what the sandbox sends: then it has no network any more.
    private static let restarts = 3

    private final class OpenSandbox {
        let namespace: UserOpenNamespace
        let policy: EgressPolicy
        var pasta: UInt64 = 0
        var interruptions = NetworkInterruptions()
        var restartsLeft = UserNetwork.restarts

        init(_ namespace: UserOpenNamespace, _ policy: EgressPolicy) {
            self.namespace = namespace
            self.policy = policy
        }
    }

    private let side: HostSide
    private let loop: EventLoop
    private let factory: NamespaceFactory
    private let processes: PastaProcesses
    private var blocked: BlockedNamespaces
    /// Those that were handed out, by their leases' tokens.
    private var open: [UInt64: OpenSandbox] = [:]
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
            processes = try PastaProcesses(side, loop)
            try side.addresses.follow(in: loop) { [unowned self] in followAddresses() }
        } catch {
            throw NetworkError(describing: error, while: "open this process's net namespace")
        }
    }

    func take(_ policy: SandboxPlan.Network, sandbox: String) throws(NetworkError) -> NetworkLease {
        guard policy == .blocked else { throw NetworkError("open network: one for \(sandbox) was not prepared") }
        return try blocked.take()
    }

    func prepare(
        _ policy: SandboxPlan.Network, sandbox: String,
        then done: @escaping (Result<NetworkLease, NetworkError>) -> Void
    ) throws(NetworkError) -> (() -> Void)? {
        guard case .open(let allowCIDRs, let allowDomains, let openedCIDRs) = policy else { return nil }
        let policy = try EgressPolicy(allowCIDRs: allowCIDRs, allowDomains: allowDomains, openedCIDRs: openedCIDRs)
        let goal = "make an open network for \(sandbox)"
        let made: OpenSandbox
        do { made = OpenSandbox(try makeNamespace(), policy) } catch {
            throw NetworkError(describing: error, while: goal)
        }
        lastToken += 1
        let token = lastToken
        made.pasta = processes.start(made.namespace.place) { [unowned self] outcome in
            do {
                try outcome.get()
                done(.success(try handOut(made, token)))
            } catch {
                discard(made)
                done(.failure(NetworkError(describing: error, while: goal)))
            }
        } ended: { [unowned self] in
            restore(token)
        }
        return { [unowned self] in discard(made) }
    }

    func giveBack(_ lease: NetworkLease) {
        guard let sandbox = open.removeValue(forKey: lease.token) else { return }
        forwarder?.forget(address: sandbox.namespace.address, token: lease.token)
        discard(sandbox)
    }

    func interruptions(of lease: NetworkLease) -> NetworkInterruptions {
        open[lease.token]?.interruptions ?? NetworkInterruptions()
    }

    func refill() -> Bool { blocked.isShort && blocked.refill() }

    func shutDown() {
        blocked.shutDown()
        side.addresses.unfollow()
        open = [:]
        processes.shutDown()
        forwarder?.stop()
        forwarder = nil
    }

    private func makeNamespace() throws -> UserOpenNamespace {
        let plan = try self.plan ?? side.freePlan()
        self.plan = plan
        // A slot is used again when every other was; a token is not.
        guard let slot = slots.take() else { throw AddressPlan.allInUse }
        do { return try UserOpenNamespace(slot: slot, plan: plan, factory: factory) } catch {
            slots.giveBack(slot)
            throw error
        }
    }

    /// Its interface is there.
    private func handOut(_ sandbox: OpenSandbox, _ token: UInt64) throws -> NetworkLease {
        let namespace = sandbox.namespace
        try namespace.configure()
        let forwarder = try runningForwarder()
        do {
            try forwarder.admit(
                address: namespace.address, token: token, sandbox.policy, filter: namespace.filter,
                sockets: namespace.sockets)
            // Before its addresses are read: a change after that is heard of.
            open[token] = sandbox
            // Last: from here on packets leave.
            try namespace.filter.open(sandbox.policy, hostRanges: unreachable())
        } catch {
            open[token] = nil
            forwarder.forget(address: namespace.address, token: token)
            throw error
        }
        return NetworkLease(
            namespace: namespace.descriptor,
            resolvConf: Array("nameserver \(IPv4Address.text(namespace.address))\n".utf8),
            hostsAddress: IPv4Address.text(namespace.address), token: token)
    }

    private func runningForwarder() throws -> ForwarderProcess {
        if let forwarder { return forwarder }
        let made = try ForwarderProcess(loop: loop) { [side] theirs in
            try side.startForwarder(theirs)
            return nil
        }
        forwarder = made
        return made
    }

    /// Its pasta has ended, and with it the interface: nothing leaves. The filter is the namespace's own and stays.
    private func restore(_ token: UInt64) {
        guard let sandbox = open[token] else { return }
        sandbox.interruptions.count += 1
        restart(sandbox, token, after: "it has ended too often")
    }

    private func restart(_ sandbox: OpenSandbox, _ token: UInt64, after reason: String) {
        guard sandbox.restartsLeft > 0, !processes.isSideGone else {
            sandbox.interruptions.isLost = true
            return Diagnostics.write("a sandbox has no network any more, since pasta has ended: \(reason)")
        }
        sandbox.restartsLeft -= 1
        sandbox.pasta = processes.start(sandbox.namespace.place) { [unowned self] outcome in
            do {
                try outcome.get()
                try sandbox.namespace.configure()
            } catch {
                processes.end(sandbox.pasta)
                restart(sandbox, token, after: NetworkError(describing: error, while: "configure another").message)
            }
        } ended: { [unowned self] in
            restore(token)
        }
    }

    private func discard(_ sandbox: OpenSandbox) {
        processes.end(sandbox.pasta)
        slots.giveBack(sandbox.namespace.slot)
    }

    private func unreachable() throws -> [ClosedRange<UInt32>] {
        try side.addresses.ranges() + [plan?.network.range].compactMap(\.self)
    }

    /// pasta's connections come from the host itself, so there is no second line that knows its addresses.
    private func followAddresses() {
        guard !open.isEmpty else { return }
        do {
            let ranges = try unreachable()
            for sandbox in open.values { try sandbox.namespace.filter.setHost(ranges) }
        } catch {
            Diagnostics.write("cannot follow the host's addresses, so every open network ends: \(error)")
            for sandbox in open.values {
                sandbox.interruptions.count += 1
                sandbox.interruptions.isLost = true
                processes.end(sandbox.pasta)
            }
        }
    }
}
