import LinuxSystem

/// The one nftables table on the host: source NAT for sandboxes, and a second line behind the filter that
/// each sandbox's own namespace has. A flush of it cuts sandboxes off; it does not open them.
struct HostTable {
    /// The group of every sandbox's interface on the host, by which rules know them: "sp" in ASCII.
    static let interfaceGroup: UInt32 = 0x7370

    private enum AddressSet {
        static let gateway = "gateway"
        static let sandboxes = "sandboxes"
        static let dropped = "dropped"
        static let opened = "opened"
        /// Indexes of interfaces that forward only because of us.
        static let uplinks = "uplinks"
    }

    private let plan: AddressPlan
    private let socket: NetlinkSocket

    init(plan: AddressPlan, socket: NetlinkSocket) {
        self.plan = plan
        self.socket = socket
    }

    /// Makes the table anew; what a launcher that ended left of it goes in the same transaction.
    func install() throws {
        var batch = NftablesBatch(table: plan.table)
        batch.addTable()
        batch.deleteTable()
        batch.addTable()
        batch.addSet(AddressSet.gateway, .plain)
        batch.addSet(AddressSet.uplinks, .plain)
        for name in [AddressSet.sandboxes, AddressSet.dropped, AddressSet.opened] { batch.addSet(name, .interval) }
        batch.addElements(set: AddressSet.gateway, ranges: [plan.gateway...plan.gateway], isInterval: false)
        batch.addElements(set: AddressSet.sandboxes, ranges: [plan.network.range])
        batch.addElements(set: AddressSet.dropped, ranges: DroppedRanges.networks.map(\.range).merged)
        addInputRules(to: &batch)
        addForwardRules(to: &batch)
        batch.addSourceNATChain("postrouting")
        batch.addRule(
            chain: "postrouting",
            .source(in: AddressSet.sandboxes) + .index(.outputGroup, isNot: Self.interfaceGroup) + [.masquerade])
        try batch.commit(through: socket, stage: "add the host's table \(plan.table)")
    }

    /// To the host itself: DNS at the gateway address and nothing else.
    private func addInputRules(to batch: inout NftablesBatch) {
        let fromSandbox = [NftablesExpression].index(.inputGroup, is: Self.interfaceGroup)
        batch.addFilterChain("input", hook: .input, policyDrops: false)
        for number: UInt8 in [6, 17] {
            batch.addRule(
                chain: "input",
                fromSandbox + .source(in: AddressSet.sandboxes) + .destination(in: AddressSet.gateway)
                    + .protocolNumber(number) + .destinationPort(53) + [.accept])
        }
        batch.addRule(chain: "input", fromSandbox + .notIPv4 + [.drop])
        // Only our own range: another launcher's table decides on its sandboxes.
        batch.addRule(chain: "input", fromSandbox + .source(in: AddressSet.sandboxes) + [.drop])
        // The gateway address is nobody else's business, even on a network that routes to it.
        batch.addRule(
            chain: "input",
            .destination(in: AddressSet.gateway) + .index(.inputGroup, isNot: Self.interfaceGroup)
                + .index(.inputIndex, isNot: 1) + [.drop])
    }

    private func addForwardRules(to batch: inout NftablesBatch) {
        let fromSandbox = [NftablesExpression].index(.inputGroup, is: Self.interfaceGroup)
        let toSandbox = [NftablesExpression].index(.outputGroup, is: Self.interfaceGroup)
        batch.addFilterChain("forward", hook: .forward, policyDrops: false)
        func rule(_ expressions: [NftablesExpression]) { batch.addRule(chain: "forward", expressions) }
        rule(fromSandbox + .notIPv4 + [.drop])
        rule(fromSandbox + toSandbox + [.drop])
        rule(
            fromSandbox + .source(in: AddressSet.sandboxes) + .destination(in: AddressSet.dropped)
                + .destination(in: AddressSet.opened, inverted: true) + [.drop])
        rule(toSandbox + .established + [.accept])
        rule(toSandbox + [.drop])
        // Interfaces that forward for our sake must not make the host a router for its neighbours.
        rule([.load(.inputIndex), .lookup(set: AddressSet.uplinks, inverted: false), .drop])
    }

    /// The union of what running sandboxes' policies open, replaced whole.
    func setOpened(_ networks: [IPv4Network]) throws {
        var batch = NftablesBatch(table: plan.table)
        batch.flush(set: AddressSet.opened)
        batch.addElements(set: AddressSet.opened, ranges: networks.map(\.range).merged)
        try batch.commit(through: socket, stage: "open ranges in the host's table")
    }

    func setUplinks(_ indexes: [UInt32]) throws {
        var batch = NftablesBatch(table: plan.table)
        batch.flush(set: AddressSet.uplinks)
        // An interface index is compared as the kernel keeps it, in host order.
        let keys = indexes.map { UInt32(bigEndian: $0) }
        batch.addElements(set: AddressSet.uplinks, ranges: keys.map { $0...$0 }, isInterval: false)
        try batch.commit(through: socket, stage: "name the uplinks in the host's table")
    }

    func remove() throws {
        var batch = NftablesBatch(table: plan.table)
        batch.addTable()
        batch.deleteTable()
        try batch.commit(through: socket, stage: "remove the host's table \(plan.table)")
    }
}
