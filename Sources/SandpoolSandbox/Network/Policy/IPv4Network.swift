/// A range of IPv4 addresses with a common prefix. Addresses are in host order.
public struct IPv4Network: Equatable, Hashable, Sendable, CustomStringConvertible {
    public let address: UInt32
    public let prefixLength: UInt8

    /// - Parameter address: any address inside; the bits after the prefix are dropped.
    public init(address: UInt32, prefixLength: UInt8) {
        self.prefixLength = min(prefixLength, 32)
        self.address = address & Self.mask(self.prefixLength)
    }

    /// Reads `a.b.c.d/n` or `a.b.c.d`, strictly: decimal, no leading zeros, no bits set after the prefix.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let address = IPv4Address.parse(parts[0]) else { return nil }
        var prefixLength: UInt8 = 32
        if parts.count == 2 {
            guard let length = IPv4Address.number(parts[1]), length <= 32 else { return nil }
            prefixLength = UInt8(length)
        }
        guard address & ~Self.mask(prefixLength) == 0 else { return nil }
        self.init(address: address, prefixLength: prefixLength)
    }

    public var range: ClosedRange<UInt32> { address...(address | ~Self.mask(prefixLength)) }

    public func contains(_ other: UInt32) -> Bool { range.contains(other) }
    public func overlaps(_ other: IPv4Network) -> Bool { range.overlaps(other.range) }

    public var description: String { "\(IPv4Address.text(address))/\(prefixLength)" }

    private static func mask(_ prefixLength: UInt8) -> UInt32 {
        prefixLength == 0 ? 0 : UInt32.max << (32 - UInt32(prefixLength))
    }
}

/// Text of single addresses.
public enum IPv4Address {
    public static func parse(_ text: some StringProtocol) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var address: UInt32 = 0
        for part in parts {
            guard let byte = number(part), byte <= 255 else { return nil }
            address = address << 8 | UInt32(byte)
        }
        return address
    }

    public static func text(_ address: UInt32) -> String {
        "\(address >> 24).\(address >> 16 & 255).\(address >> 8 & 255).\(address & 255)"
    }

    /// At most three digits without leading zeros, which some programs read as octal.
    static func number(_ text: some StringProtocol) -> Int? {
        guard (1...3).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }),
            text.utf8.count == 1 || text.utf8.first != 48
        else { return nil }
        return Int(text)
    }
}

extension [ClosedRange<UInt32>] {
    /// The same addresses as disjoint ranges in order, as a set of intervals needs them.
    var merged: [ClosedRange<UInt32>] {
        var result: [ClosedRange<UInt32>] = []
        for range in sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = result.last, last.upperBound == .max || range.lowerBound <= last.upperBound + 1 {
                result[result.count - 1] = last.lowerBound...Swift.max(last.upperBound, range.upperBound)
            } else {
                result.append(range)
            }
        }
        return result
    }
}
