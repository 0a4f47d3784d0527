/// What an upstream server answered, reduced to what belongs to the question.
struct DNSAnswer {
    /// The response code's four bits, handed on as they are.
    var code: UInt8
    /// Aliases from the question's name on, then the records of the asked type at the last one.
    var records: [DNS.Record]
    /// The answer was cut: ask again by TCP.
    let isTruncated: Bool

    private static let recordLimit = 1_024
    private static let aliasLimit = 16

    /// Nil when the message is malformed or is not the answer to this question under this id.
    init?(_ message: [UInt8], id: UInt16, question: DNS.Question) {
        guard DNS.uint16(message, at: 0) == id, let flags = DNS.uint16(message, at: 2),
            flags & 0xf800 == 0x8000, DNS.uint16(message, at: 4) == 1,
            let count = DNS.uint16(message, at: 6)
        else { return nil }
        var offset = DNS.headerSize
        guard let echoed = DNS.question(message, at: &offset), echoed.matches(question) else { return nil }
        code = UInt8(flags & 0x000f)
        isTruncated = flags & 0x0200 != 0
        var found: [DNS.Record] = []
        if !isTruncated {
            guard count <= Self.recordLimit else { return nil }
            for _ in 0..<count {
                guard let record = DNS.record(message, at: &offset) else { return nil }
                if record.recordClass == question.recordClass { found.append(record) }
            }
        }
        records = Self.chain(found, question)
    }

    /// A server may add whatever it likes; only what the question leads to is kept.
    private static func chain(_ found: [DNS.Record], _ question: DNS.Question) -> [DNS.Record] {
        var byName: [DNSName: [DNS.Record]] = [:]
        for record in found { byName[record.name.folded, default: []].append(record) }
        var name = question.name.folded
        var aliases: [DNS.Record] = []
        var seen: Set<DNSName> = []
        // A name that comes again is a loop.
        while question.type != DNS.Kind.cname, aliases.count < aliasLimit, seen.insert(name).inserted,
            let alias = byName[name]?.first(where: { $0.type == DNS.Kind.cname })
        {
            var offset = 0
            guard let target = DNSName(alias.data, at: &offset) else { break }
            aliases.append(alias)
            name = target.folded
        }
        return aliases + (byName[name] ?? []).filter { $0.type == question.type }
    }

    /// Takes out what a sandbox cannot or must not use: IPv6 addresses, since IPv6 is dropped; hints of
    /// addresses in service bindings; and addresses in dropped ranges, so that a public name cannot lead into
    /// a private network (DNS rebinding).
    mutating func strip(opened: [IPv4Network]) {
        records.removeAll { record in
            switch record.type {
            case DNS.Kind.aaaa, DNS.Kind.serviceBinding, DNS.Kind.https: return true
            case DNS.Kind.a:
                guard let address = record.address else { return true }
                return DroppedRanges.contains(address) && !opened.contains { $0.contains(address) }
            default: return false
            }
        }
    }

    /// The addresses and how long the answer holds, in seconds.
    var addresses: [(address: UInt32, ttl: UInt32)] {
        records.compactMap { record in record.address.map { ($0, record.ttl) } }
    }
}

extension DNS.Record {
    /// The address of an A record.
    var address: UInt32? {
        guard type == DNS.Kind.a, data.count == 4 else { return nil }
        return DNS.uint32(data, at: 0)
    }
}
