/// A block of IPv4 addresses, such as `192.0.2.0/24` (RFC 4632).
public struct CIDRBlock: Hashable, Sendable {
    /// The block's first address, most significant byte first.
    public let address: UInt32
    /// How many leading bits all its addresses share, 0–32.
    public let prefix: UInt8

    private static let hint = "write one such as 192.0.2.0/24 or 192.0.2.7"

    /// Parses `A.B.C.D/N`, or `A.B.C.D` for a single address.
    ///
    /// - Throws: for anything else; also for IPv6, which sandboxes do not have yet, and for bits behind the prefix,
    ///   which mean that the address or the prefix is not the one that was intended.
    public init(_ text: String) throws(ValueProblem) {
        guard !text.utf8.contains(UInt8(ascii: ":")) else {
            throw ValueProblem(text, isNot: "an IPv4 network", hint: "IPv6 is not supported yet; \(Self.hint)")
        }
        let parts = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard text.utf8.count <= 18, parts.count <= 2, let address = Self.address(parts[0]),
            let prefix = parts.count == 1 ? 32 : Self.number(parts[1], atMost: 32)
        else { throw ValueProblem(text, isNot: "an IPv4 network", hint: Self.hint) }
        let mask = Self.mask(prefix: prefix)
        self.address = address & mask
        self.prefix = prefix
        guard address == self.address else {
            throw ValueProblem(
                text, isNot: "the beginning of a network", hint: "did you mean \(self) or \(Self.dotted(address))?")
        }
    }

    /// Whether the address, most significant byte first, is in the block.
    public func contains(_ address: UInt32) -> Bool { address & Self.mask(prefix: prefix) == self.address }

    /// Whether the blocks have an address in common.
    public func overlaps(_ other: CIDRBlock) -> Bool { contains(other.address) || other.contains(address) }

    private static func mask(prefix: UInt8) -> UInt32 {
        UInt32(truncatingIfNeeded: UInt64(0xFFFF_FFFF) << (32 - prefix))
    }

    private static func address(_ text: Substring.UTF8View) -> UInt32? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var address: UInt32 = 0
        for part in parts {
            guard let byte = number(part, atMost: 255) else { return nil }
            address = address << 8 | UInt32(byte)
        }
        return address
    }

    /// Decimal digits without a leading zero, which some parsers read as octal.
    private static func number(_ text: Substring.UTF8View, atMost limit: UInt8) -> UInt8? {
        guard (1...3).contains(text.count), text.allSatisfy(\.isASCIIDigit),
            text.count == 1 || text.first != UInt8(ascii: "0"), let number = UInt8(Substring(text)), number <= limit
        else { return nil }
        return number
    }

    private static func dotted(_ address: UInt32) -> String {
        "\(address >> 24).\(address >> 16 & 255).\(address >> 8 & 255).\(address & 255)"
    }
}

extension CIDRBlock: CustomStringConvertible {
    /// `A.B.C.D/N`, the prefix of a single address included.
    public var description: String { "\(Self.dotted(address))/\(prefix)" }
}
