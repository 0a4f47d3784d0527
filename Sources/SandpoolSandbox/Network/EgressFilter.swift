import LinuxSystem

/// The filter inside an open sandbox's own net namespace. The launcher's user namespace owns it, so neither root
/// in the sandbox nor a flush of the host's ruleset can change it.
///
/// The rules are the same for every sandbox; what differs is in sets.
struct EgressFilter {
    private static let table = "sandpool"
    private static let output = "output"
    private static let input = "input"
    /// Protects the host's connection table, which all sandboxes share.
    private static let connectionLimit: UInt32 = 4_096
    static let learnedLimit: UInt32 = 4_096

    private enum AddressSet {
        /// The sandbox's own address: whatever else a packet claims as its source is dropped.
        static let own = "own"
        static let gateway = "gateway"
        /// The host's addresses and the range of all sandboxes: never reachable.
        static let host = "host"
        static let dropped = "dropped"
        /// Exceptions from `dropped`.
        static let opened = "opened"
        /// What the policy allows: everything, or its ranges.
        static let allowed = "allowed"
        /// Addresses of allowed domains, with the time to live of the answer they came in.
        static let learned = "learned"
    }

    let socket: NetlinkSocket

    /// - Parameter socket: a netfilter socket made inside the namespace.
    init(socket: NetlinkSocket) { self.socket = socket }

    /// Loads everything that does not depend on the sandbox's policy; until `open` nothing leaves.
    func load(address: UInt32, gateway: UInt32) throws {
        var batch = NftablesBatch(table: Self.table)
        batch.addTable()
        batch.addSet(AddressSet.own, .plain)
        batch.addSet(AddressSet.gateway, .plain)
        for name in [AddressSet.host, AddressSet.dropped, AddressSet.opened, AddressSet.allowed] {
            batch.addSet(name, .interval)
        }
        batch.addSet(AddressSet.learned, .timeout(limit: Self.learnedLimit))
        batch.addElements(set: AddressSet.own, ranges: [address...address], isInterval: false)
        batch.addElements(set: AddressSet.gateway, ranges: [gateway...gateway], isInterval: false)
        batch.addElements(set: AddressSet.dropped, ranges: DroppedRanges.networks.map(\.range).merged)
        batch.addFilterChain(Self.input, hook: .input, policyDrops: true)
        batch.addRule(chain: Self.input, .index(.inputIndex, is: 1) + [.accept])
        batch.addRule(chain: Self.input, .established + [.accept])
        addOutputRules(to: &batch)
        try batch.commit(through: socket, stage: "load the egress filter")
    }

    private func addOutputRules(to batch: inout NftablesBatch) {
        batch.addFilterChain(Self.output, hook: .output, policyDrops: true)
        func rule(_ expressions: [NftablesExpression]) { batch.addRule(chain: Self.output, expressions) }
        rule(.index(.outputIndex, is: 1) + [.accept])
        rule(.notIPv4 + [.drop])
        rule(.source(in: AddressSet.own, inverted: true) + [.drop])
        rule(.established + [.accept])
        rule(.new + [.connectionsOver(Self.connectionLimit), .rejectProhibited])
        for number: UInt8 in [6, 17] {
            rule(.protocolNumber(number) + .destination(in: AddressSet.gateway) + .destinationPort(53) + [.accept])
        }
        for set in [AddressSet.allowed, AddressSet.learned] {
            let reachable =
                [NftablesExpression].destination(in: set)
                + .destination(in: AddressSet.host, inverted: true)
            rule(reachable + .destination(in: AddressSet.dropped, inverted: true) + [.accept])
            rule(reachable + .destination(in: AddressSet.opened) + [.accept])
        }
        // Nothing that was refused leaves the namespace, but the program hears of it at once: a connection
        // that hangs until it times out is hard to understand.
        rule(.protocolNumber(6) + [.rejectReset])
        rule([.rejectProhibited])
    }

    /// Lets the sandbox out as far as its policy goes.
    ///
    /// - Parameter hostRanges: the host's addresses as they are now, and the range of all sandboxes.
    func open(_ policy: EgressPolicy, hostRanges: [ClosedRange<UInt32>]) throws {
        let allowed = policy.isRestricted ? policy.allowed.map(\.range) : [0...UInt32.max]
        var batch = NftablesBatch(table: Self.table)
        batch.addElements(set: AddressSet.host, ranges: hostRanges.merged)
        batch.addElements(set: AddressSet.opened, ranges: policy.opened.map(\.range).merged)
        batch.addElements(set: AddressSet.allowed, ranges: allowed.merged)
        try batch.commit(through: socket, stage: "open the egress filter")
    }

    /// Replaces the host's addresses, whole.
    func setHost(_ ranges: [ClosedRange<UInt32>]) throws {
        var batch = NftablesBatch(table: Self.table)
        batch.flush(set: AddressSet.host)
        batch.addElements(set: AddressSet.host, ranges: ranges.merged)
        try batch.commit(through: socket, stage: "change the host's addresses in the egress filter")
    }

    /// Adds addresses of an allowed domain.
    func learn(_ addresses: [(address: UInt32, timeoutMs: UInt64)]) throws {
        var batch = NftablesBatch(table: Self.table)
        batch.renewElements(set: AddressSet.learned, addresses)
        try batch.commit(through: socket, stage: "add a domain's addresses")
    }
}
