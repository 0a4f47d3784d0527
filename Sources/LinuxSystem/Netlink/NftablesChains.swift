/// A base chain of some table, as the kernel lists it.
public struct NftablesBaseChain: Equatable, Sendable {
    public var family: UInt8
    public var table: String
    public var name: String
    public var hook: NftablesBatch.Hook?
    public var policyDrops: Bool
}

/// Reading other programs' rulesets.
extension NetlinkSocket {
    private static let getChain: UInt16 = 0xa04
    private static let getRule: UInt16 = 0xa07

    /// Every base chain of the namespace, whoever made it.
    public func baseChains() throws -> [NftablesBaseChain] {
        var chains: [NftablesBaseChain] = []
        // Family 0 (NFPROTO_UNSPEC): all families.
        try dump(NetlinkMessage(type: Self.getChain, header: [0, 0, 0, 0]), stage: "list chains") { reply in
            if let chain = NftablesBaseChain(reply) { chains.append(chain) }
        }
        return chains
    }

    /// Whether some rule of the table compares packets with these bytes.
    public func hasRule(comparing bytes: [UInt8], family: UInt8, table: String) throws -> Bool {
        var found = false
        var request = NetlinkMessage(type: Self.getRule, header: [family, 0, 0, 0])
        request.attribute(1, table)
        try dump(request, stage: "list rules") { reply in
            if reply.compares(bytes) { found = true }
        }
        return found
    }
}

extension NftablesBaseChain {
    /// Nil for a chain without a hook.
    init?(_ reply: NetlinkReply) {
        let attributes = reply.attributes(after: 4)
        guard let hook = attributes[4]?.nested else { return nil }
        self.init(
            family: reply.byte(at: 0), table: attributes[1]?.string ?? "",
            name: attributes[3]?.string ?? "",
            hook: hook[1].flatMap { NftablesBatch.Hook(rawValue: $0.bigEndian32) },
            policyDrops: attributes[5]?.bigEndian32 == 0)
    }
}

extension NetlinkReply {
    /// Whether this rule of a table compares packets with these bytes.
    func compares(_ bytes: [UInt8]) -> Bool {
        guard let expressions = attributes(after: 4)[4]?.nested else { return false }
        return expressions.contains { expression in
            expression.nested[1]?.string == "cmp"
                && expression.nested[2]?.nested[3]?.nested[1]?.value.elementsEqual(bytes) == true
        }
    }
}
