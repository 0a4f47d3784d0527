/// A domain name in wire form without compression (RFC 1035 §3.1): labels with their lengths, then a zero.
struct DNSName: Hashable {
    /// At most 255 bytes, in the case in which it was written.
    let wire: [UInt8]

    static let root = DNSName(wire: [0])
    private static let limit = 255
    private static let pointerMark: UInt8 = 0xc0

    /// Reads a name at `offset`, following compression, and moves `offset` behind it.
    ///
    /// Nil when it is malformed. A pointer must lead before the part that it ends, so that none can loop.
    init?(_ message: [UInt8], at offset: inout Int) {
        var wire: [UInt8] = []
        var position = offset
        var partStart = offset
        var end: Int?
        while true {
            guard position < message.count else { return nil }
            let length = message[position]
            switch length & Self.pointerMark {
            case 0:
                let next = position + 1 + Int(length)
                guard next <= message.count, wire.count + 1 + Int(length) <= Self.limit else { return nil }
                wire.append(contentsOf: message[position..<next])
                position = next
                if length == 0 {
                    offset = end ?? position
                    self.wire = wire
                    return
                }
            case Self.pointerMark:
                guard position + 1 < message.count else { return nil }
                let target = Int(length & ~Self.pointerMark) << 8 | Int(message[position + 1])
                guard target < partStart else { return nil }
                if end == nil { end = position + 2 }
                position = target
                partStart = target
            default:
                return nil
            }
        }
    }

    private init(wire: [UInt8]) { self.wire = wire }

    /// The same name for comparison: ASCII letters in lower case (RFC 4343).
    var folded: DNSName {
        // No length byte (at most 63) is a capital letter's code by accident: those begin at 65.
        DNSName(wire: wire.map { (65...90).contains($0) ? $0 + 32 : $0 })
    }

    /// The name as people write it, in lower case and without a closing dot. Nil when a label holds
    /// something that could be read as another name, such as a dot.
    var text: String? {
        var labels: [String] = []
        var position = 0
        while position < wire.count, wire[position] != 0 {
            let label = wire[position + 1...position + Int(wire[position])]
            guard label.allSatisfy({ $0 > 32 && $0 < 127 && $0 != UInt8(ascii: ".") }) else { return nil }
            labels.append(String(decoding: label, as: UTF8.self).lowercased())
            position += 1 + label.count
        }
        return labels.joined(separator: ".")
    }
}
