/// Messages that the forwarder writes.
enum DNSResponse {
    /// - Parameter limit: bytes; what does not fit is cut at a record and marked, and the client asks by TCP.
    static func message(_ query: DNSQuery, code: UInt8, records: [DNS.Record] = [], limit: Int) -> [UInt8] {
        let options: [UInt8] = query.datagramSize == nil ? [] : Self.options
        var bytes = header(id: query.id, code: code, recursionDesired: query.recursionDesired)
        bytes[5] = 1
        bytes += query.question.wire
        var count: UInt16 = 0
        for record in records {
            let encoded = encode(record, question: query.question)
            guard bytes.count + encoded.count + options.count <= limit else {
                bytes[2] |= 0x02
                break
            }
            bytes += encoded
            count += 1
        }
        bytes[6] = UInt8(count >> 8)
        bytes[7] = UInt8(count & 0xff)
        if !options.isEmpty {
            bytes[11] = 1
            bytes += options
        }
        return bytes
    }

    /// An answer to a message whose question could not be read.
    static func rejection(id: UInt16, _ code: DNS.Code) -> [UInt8] {
        header(id: id, code: code.rawValue, recursionDesired: false)
    }

    /// An OPT record for the root with our datagram size (RFC 6891 §6.1.2).
    private static let options: [UInt8] = [
        0, 0, 41, UInt8(DNS.extendedDatagramLimit >> 8), UInt8(DNS.extendedDatagramLimit & 0xff), 0, 0, 0, 0, 0, 0,
    ]

    private static func header(id: UInt16, code: UInt8, recursionDesired: Bool) -> [UInt8] {
        // A response; recursion is available.
        [
            UInt8(id >> 8), UInt8(id & 0xff), 0x80 | (recursionDesired ? 0x01 : 0), 0x80 | (code & 0x0f),
            0, 0, 0, 0, 0, 0, 0, 0,
        ]
    }

    /// The question's name, which most records have, becomes a pointer to it; other names are written out.
    private static func encode(_ record: DNS.Record, question: DNS.Question) -> [UInt8] {
        let pointerToQuestion: [UInt8] = [0xc0, UInt8(DNS.headerSize)]
        var bytes = record.name.folded == question.name.folded ? pointerToQuestion : record.name.wire
        for value in [record.type, record.recordClass, UInt16(record.ttl >> 16), UInt16(record.ttl & 0xffff)] {
            bytes += [UInt8(value >> 8), UInt8(value & 0xff)]
        }
        return bytes + [UInt8(record.data.count >> 8), UInt8(record.data.count & 0xff)] + record.data
    }
}
