/// A transaction on nftables: takes effect whole or not at all (linux/netfilter/nfnetlink.h).
///
/// Written by hand because running `nft` for each namespace costs more than the whole sandbox.
public struct NftablesBatch: Sendable {
    private enum Kind {
        static let begin: UInt16 = 16
        static let end: UInt16 = 17
        static let newTable: UInt16 = 0xa00
        static let deleteTable: UInt16 = 0xa02
        static let newChain: UInt16 = 0xa03
        static let newRule: UInt16 = 0xa06
        static let newSet: UInt16 = 0xa09
        static let newElement: UInt16 = 0xa0c
        static let deleteElement: UInt16 = 0xa0e
    }

    /// NFPROTO_INET: one table for IPv4 and IPv6.
    private static let inet: UInt8 = 1
    private static let nfnetlinkVersion: UInt8 = 0
    private static let nftablesSubsystem: UInt8 = 10

    public enum Hook: UInt32, Sendable {
        case input = 1
        case forward = 2
        case output = 3
        case postrouting = 4
    }

    public enum SetKind: Sendable {
        /// Single 4-byte keys.
        case plain
        /// Disjoint ranges of addresses.
        case interval
        /// Single addresses, each with its time to live; at most `limit` of them.
        case timeout(limit: UInt32)
    }

    public let table: String
    private var messages: [NetlinkMessage] = []
    private var setCount: UInt32 = 0

    public init(table: String) { self.table = table }

    public mutating func addTable() {
        var message = Self.message(Kind.newTable, flags: .create)
        message.attribute(1, table)
        messages.append(message)
    }

    /// Fails with ENOENT when there is no such table.
    public mutating func deleteTable() {
        var message = Self.message(Kind.deleteTable)
        message.attribute(1, table)
        messages.append(message)
    }

    /// - Parameter policyDrops: what happens to a packet that no rule decided on.
    public mutating func addFilterChain(_ name: String, hook: Hook, policyDrops: Bool) {
        addChain(name, type: "filter", hook: hook, priority: 0, policy: policyDrops ? 0 : 1)
    }

    public mutating func addSourceNATChain(_ name: String) {
        addChain(name, type: "nat", hook: .postrouting, priority: 100, policy: 1)
    }

    private mutating func addChain(_ name: String, type: String, hook: Hook, priority: UInt32, policy: UInt32) {
        var message = Self.message(Kind.newChain, flags: .create)
        message.attribute(1, table)
        message.attribute(3, name)
        message.nest(4) {
            $0.attribute(1, bigEndian: hook.rawValue)
            $0.attribute(2, bigEndian: priority)
        }
        message.attribute(5, bigEndian: policy)
        message.attribute(7, type)
        messages.append(message)
    }

    public mutating func addRule(chain: String, _ expressions: [NftablesExpression]) {
        var message = Self.message(Kind.newRule, flags: [.create, .append])
        message.attribute(1, table)
        message.attribute(2, chain)
        message.nest(4) { for expression in expressions { expression.append(to: &$0) } }
        messages.append(message)
    }

    public mutating func addSet(_ name: String, _ kind: SetKind) {
        setCount += 1
        var message = Self.message(Kind.newSet, flags: .create)
        message.attribute(1, table)
        message.attribute(2, name)
        let flags: UInt32 =
            switch kind {
            case .plain: 0
            case .interval: 0x4
            case .timeout: 0x10
            }
        message.attribute(3, bigEndian: flags)
        // 7: what `nft list` shows as ipv4_addr.
        message.attribute(4, bigEndian: UInt32(7))
        message.attribute(5, bigEndian: UInt32(4))
        if case .timeout(let limit) = kind { message.nest(9) { $0.attribute(1, bigEndian: limit) } }
        message.attribute(10, bigEndian: setCount)
        messages.append(message)
    }

    /// Adds disjoint ranges to an interval set, or single keys to a plain one.
    public mutating func addElements(set: String, ranges: [ClosedRange<UInt32>], isInterval: Bool = true) {
        guard !ranges.isEmpty else { return }
        elements(Kind.newElement, flags: .create, set: set) { list in
            for range in ranges {
                list.nest(1) { Self.key(range.lowerBound, in: &$0) }
                // An interval's end is an element of its own, one past the last address, with
                // NFT_SET_ELEM_INTERVAL_END; a range up to the last address has none.
                guard isInterval, range.upperBound < .max else { continue }
                list.nest(1) {
                    $0.attribute(3, bigEndian: UInt32(1))
                    Self.key(range.upperBound + 1, in: &$0)
                }
            }
        }
    }

    /// Adds addresses that vanish after `timeoutMs` milliseconds, or starts their time anew.
    ///
    /// Adding an element that is there leaves its time as it is (before Linux 6.12), and removing one that
    /// is not there fails: hence add, remove, add, in the one transaction.
    public mutating func renewElements(set: String, _ addresses: [(address: UInt32, timeoutMs: UInt64)]) {
        for kind in [Kind.newElement, Kind.deleteElement, Kind.newElement] {
            elements(kind, flags: kind == Kind.newElement ? .create : [], set: set) { list in
                for entry in addresses {
                    list.nest(1) {
                        if kind == Kind.newElement { $0.attribute(4, bigEndian: entry.timeoutMs) }
                        Self.key(entry.address, in: &$0)
                    }
                }
            }
        }
    }

    /// Removes every element.
    public mutating func flush(set: String) {
        var message = Self.message(Kind.deleteElement)
        message.attribute(1, table)
        message.attribute(2, set)
        messages.append(message)
    }

    /// Has the kernel carry the transaction out; throws `SystemError` and changes nothing when it cannot.
    public func commit(through socket: NetlinkSocket, stage: String) throws {
        let begin = NetlinkMessage(type: Kind.begin, header: Self.batchHeader)
        let end = NetlinkMessage(type: Kind.end, header: Self.batchHeader)
        try socket.execute([begin] + messages + [end], stage: stage, acknowledgedIndex: messages.count)
    }

    private mutating func elements(
        _ kind: UInt16, flags: NetlinkMessage.Flags, set: String, _ fill: (inout NetlinkMessage) -> Void
    ) {
        var message = Self.message(kind, flags: flags)
        message.attribute(1, table)
        message.attribute(2, set)
        message.nest(3, fill)
        messages.append(message)
    }

    private static func key(_ address: UInt32, in element: inout NetlinkMessage) {
        element.nest(1) { $0.attribute(1, bigEndian: address) }
    }

    private static func message(_ type: UInt16, flags: NetlinkMessage.Flags = []) -> NetlinkMessage {
        NetlinkMessage(type: type, flags: flags, header: [inet, nfnetlinkVersion, 0, 0])
    }

    /// `struct nfgenmsg` with the subsystem's number as resource id.
    private static let batchHeader: [UInt8] = [0, nfnetlinkVersion, 0, nftablesSubsystem]
}
