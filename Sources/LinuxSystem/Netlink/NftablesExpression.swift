/// One step of an nftables rule (linux/netfilter/nf_tables.h), as `nft --debug=netlink` shows them.
///
/// All values go through one 128-bit register: each rule is a chain of load-and-compare steps that ends in
/// a verdict.
public enum NftablesExpression: Sendable {
    case load(Meta)
    /// Bytes of the network or transport header.
    case loadPayload(Header, offset: UInt32, length: UInt32)
    /// `NF_CT_STATE_BIT`s of the packet's connection.
    case loadConnectionState
    /// Compares the register with these bytes; the rule ends here when it does not hold.
    case compare(Comparison, [UInt8])
    /// Keeps only these bits of a 4-byte register.
    case mask([UInt8])
    /// Goes on when the register is in the named set, or not in it.
    case lookup(set: String, inverted: Bool)
    /// Goes on when this packet's table holds more than so many connections.
    case connectionsOver(UInt32)
    case accept
    case drop
    /// Drops and tells the sender: an ICMP "administratively prohibited".
    case rejectProhibited
    /// Drops and tells the sender: a TCP reset.
    case rejectReset
    /// Source NAT to the outgoing interface's address.
    case masquerade

    public enum Meta: UInt32, Sendable {
        case inputIndex = 4
        case outputIndex = 5
        case family = 15
        case protocolNumber = 16
        case inputGroup = 21
        case outputGroup = 22
    }

    public enum Header: UInt32, Sendable {
        case network = 1
        case transport = 2
    }

    public enum Comparison: UInt32, Sendable {
        case equal = 0
        case notEqual = 1
    }

    private static let register: UInt32 = 1
    private static let verdictRegister: UInt32 = 0

    private var name: String {
        switch self {
        case .load: "meta"
        case .loadPayload: "payload"
        case .loadConnectionState: "ct"
        case .compare: "cmp"
        case .mask: "bitwise"
        case .lookup: "lookup"
        case .connectionsOver: "connlimit"
        case .accept, .drop: "immediate"
        case .rejectProhibited, .rejectReset: "reject"
        case .masquerade: "masq"
        }
    }

    /// Adds the expression to a rule's list.
    func append(to list: inout NetlinkMessage) {
        list.nest(1) { element in
            element.attribute(1, name)
            element.nest(2) { appendFields(to: &$0) }
        }
    }

    private func appendFields(to data: inout NetlinkMessage) {
        switch self {
        case .load(let key):
            data.attribute(1, bigEndian: Self.register)
            data.attribute(2, bigEndian: key.rawValue)
        case .loadPayload(let header, let offset, let length):
            data.attribute(1, bigEndian: Self.register)
            data.attribute(2, bigEndian: header.rawValue)
            data.attribute(3, bigEndian: offset)
            data.attribute(4, bigEndian: length)
        case .loadConnectionState:
            data.attribute(1, bigEndian: Self.register)
            data.attribute(2, bigEndian: UInt32(0))
        case .compare(let comparison, let bytes):
            data.attribute(1, bigEndian: Self.register)
            data.attribute(2, bigEndian: comparison.rawValue)
            data.nest(3) { $0.attribute(1, bytes) }
        case .mask(let bytes):
            data.attribute(1, bigEndian: Self.register)
            data.attribute(2, bigEndian: Self.register)
            data.attribute(3, bigEndian: UInt32(bytes.count))
            data.nest(4) { $0.attribute(1, bytes) }
            data.nest(5) { $0.attribute(1, [UInt8](repeating: 0, count: bytes.count)) }
        case .lookup(let set, let inverted):
            data.attribute(1, set)
            data.attribute(2, bigEndian: Self.register)
            if inverted { data.attribute(5, bigEndian: UInt32(1)) }
        case .connectionsOver(let count):
            data.attribute(1, bigEndian: count)
            data.attribute(2, bigEndian: UInt32(1))
        case .accept: appendVerdict(1, to: &data)
        case .drop: appendVerdict(0, to: &data)
        case .rejectProhibited:
            data.attribute(1, bigEndian: UInt32(2))
            data.attribute(2, [3])
        case .rejectReset: data.attribute(1, bigEndian: UInt32(1))
        case .masquerade: break
        }
    }

    private func appendVerdict(_ code: UInt32, to data: inout NetlinkMessage) {
        data.attribute(1, bigEndian: Self.verdictRegister)
        data.nest(2) { $0.nest(2) { $0.attribute(1, bigEndian: code) } }
    }
}

/// Matches that rules are written with.
extension [NftablesExpression] {
    private static let ipv4: UInt8 = 2

    public static func index(_ meta: NftablesExpression.Meta, is value: UInt32) -> Self {
        [.load(meta), .compare(.equal, Self.hostBytes(value))]
    }

    public static func index(_ meta: NftablesExpression.Meta, isNot value: UInt32) -> Self {
        [.load(meta), .compare(.notEqual, Self.hostBytes(value))]
    }

    public static var notIPv4: Self { [.load(.family), .compare(.notEqual, [ipv4])] }
    private static var isIPv4: Self { [.load(.family), .compare(.equal, [ipv4])] }

    /// Packets of connections that exist (state bits 1 and 2: established, related).
    public static var established: Self { state(0x6) }
    /// The first packet of a connection.
    public static var new: Self { state(0x8) }

    private static func state(_ bits: UInt32) -> Self {
        [.loadConnectionState, .mask(hostBytes(bits)), .compare(.notEqual, [0, 0, 0, 0])]
    }

    public static func source(in set: String, inverted: Bool = false) -> Self {
        isIPv4 + [.loadPayload(.network, offset: 12, length: 4), .lookup(set: set, inverted: inverted)]
    }

    public static func destination(in set: String, inverted: Bool = false) -> Self {
        isIPv4 + [.loadPayload(.network, offset: 16, length: 4), .lookup(set: set, inverted: inverted)]
    }

    public static func protocolNumber(_ number: UInt8) -> Self {
        [.load(.protocolNumber), .compare(.equal, [number])]
    }

    public static func destinationPort(_ port: UInt16) -> Self {
        let bytes = [UInt8(port >> 8), UInt8(port & 0xff)]
        return [.loadPayload(.transport, offset: 2, length: 2), .compare(.equal, bytes)]
    }

    private static func hostBytes(_ value: UInt32) -> [UInt8] { Swift.withUnsafeBytes(of: value) { [UInt8]($0) } }
}
