/// Parts of DNS messages that the forwarder reads (RFC 1035 §4). Everything is bounded by the message.
enum DNS {
    static let headerSize = 12
    /// What a client without EDNS takes in one datagram.
    static let datagramLimit = 512
    /// What one with EDNS gets at most: fits any path without fragments (dnsflagday.net/2020).
    static let extendedDatagramLimit = 1_232
    static let streamLimit = 65_535

    enum Kind {
        static let a: UInt16 = 1
        static let cname: UInt16 = 5
        static let aaaa: UInt16 = 28
        static let options: UInt16 = 41
        static let serviceBinding: UInt16 = 64
        static let https: UInt16 = 65
        /// Zone transfers, mail and "any": questions that a stub resolver does not have.
        static let firstMeta: UInt16 = 250
        static let lastMeta: UInt16 = 255
    }

    enum Code: UInt8 {
        case noError = 0
        case formatError = 1
        case serverFailure = 2
        case notImplemented = 4
        case refused = 5
    }

    static let classInternet: UInt16 = 1

    struct Question: Hashable {
        var name: DNSName
        var type: UInt16
        var recordClass: UInt16

        func matches(_ other: Question) -> Bool {
            name.folded == other.name.folded && type == other.type && recordClass == other.recordClass
        }
    }

    struct Record {
        var name: DNSName
        var type: UInt16
        var recordClass: UInt16
        var ttl: UInt32
        /// Names inside are written out, so that it can stand in another message.
        var data: [UInt8]
    }

    static func uint16(_ bytes: [UInt8], at offset: Int) -> UInt16? {
        guard offset >= 0, offset + 2 <= bytes.count else { return nil }
        return UInt16(bytes[offset]) << 8 | UInt16(bytes[offset + 1])
    }

    static func uint32(_ bytes: [UInt8], at offset: Int) -> UInt32? {
        guard let high = uint16(bytes, at: offset), let low = uint16(bytes, at: offset + 2) else { return nil }
        return UInt32(high) << 16 | UInt32(low)
    }

    static func question(_ message: [UInt8], at offset: inout Int) -> Question? {
        guard let name = DNSName(message, at: &offset), let type = uint16(message, at: offset),
            let recordClass = uint16(message, at: offset + 2)
        else { return nil }
        offset += 4
        return Question(name: name, type: type, recordClass: recordClass)
    }

    /// Reads one record. Nil when it is malformed.
    static func record(_ message: [UInt8], at offset: inout Int) -> Record? {
        guard let name = DNSName(message, at: &offset), let type = uint16(message, at: offset),
            let recordClass = uint16(message, at: offset + 2), let ttl = uint32(message, at: offset + 4),
            let length = uint16(message, at: offset + 8)
        else { return nil }
        let start = offset + 10
        let end = start + Int(length)
        guard end <= message.count, let data = expandedData(message, start..<end, type: type) else { return nil }
        offset = end
        // A value with the high bit set counts as 0 (RFC 2181 §8).
        return Record(name: name, type: type, recordClass: recordClass, ttl: ttl > 0x7fff_ffff ? 0 : ttl, data: data)
    }

    /// A record's data with its compressed names written out. Only these types may have some (RFC 3597 §4).
    private static func expandedData(_ message: [UInt8], _ range: Range<Int>, type: UInt16) -> [UInt8]? {
        let layout: (prefix: Int, names: Int, suffix: Int)
        switch type {
        case 2, 3, 4, Kind.cname, 7, 8, 9, 12, 39: layout = (0, 1, 0)  // NS MD MF CNAME MB MG MR PTR DNAME
        case 6: layout = (0, 2, 20)  // SOA
        case 14, 17: layout = (0, 2, 0)  // MINFO RP
        case 15, 18, 21, 36: layout = (2, 1, 0)  // MX AFSDB RT KX
        case 26: layout = (2, 2, 0)  // PX
        case 33: layout = (6, 1, 0)  // SRV
        default: return Array(message[range])
        }
        var offset = range.lowerBound + layout.prefix
        guard offset <= range.upperBound else { return nil }
        var data = Array(message[range.lowerBound..<offset])
        for _ in 0..<layout.names {
            guard let name = DNSName(message, at: &offset), offset <= range.upperBound else { return nil }
            data += name.wire
        }
        guard range.upperBound - offset == layout.suffix else { return nil }
        return data + message[offset..<range.upperBound]
    }
}
