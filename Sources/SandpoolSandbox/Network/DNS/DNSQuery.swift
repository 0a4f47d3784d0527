/// A question that a sandbox asked.
struct DNSQuery {
    let id: UInt16
    let question: DNS.Question
    let recursionDesired: Bool
    /// How much the client takes in one datagram; nil when it does not say (RFC 6891).
    let datagramSize: UInt16?

    enum Failure: Error, Equatable {
        /// Not a question, or too short to answer: say nothing.
        case ignored
        case rejected(id: UInt16, DNS.Code)
    }

    init(_ message: [UInt8]) throws(Failure) {
        guard message.count >= DNS.headerSize, let id = DNS.uint16(message, at: 0),
            let flags = DNS.uint16(message, at: 2), let counts = Self.counts(message), flags & 0x8000 == 0
        else { throw .ignored }
        guard flags & 0x7800 == 0 else { throw .rejected(id: id, .notImplemented) }
        var offset = DNS.headerSize
        guard counts.questions == 1, counts.answers == 0, counts.authorities == 0, counts.additional <= 2,
            let question = DNS.question(message, at: &offset)
        else { throw .rejected(id: id, .formatError) }
        var size: UInt16?
        for _ in 0..<counts.additional {
            guard let record = DNS.record(message, at: &offset) else { throw .rejected(id: id, .formatError) }
            if record.type == DNS.Kind.options { size = record.recordClass }
        }
        self.id = id
        self.question = question
        recursionDesired = flags & 0x0100 != 0
        datagramSize = size
    }

    /// The question as the forwarder asks it: nothing else of the client's message goes out.
    static func upstreamMessage(id: UInt16, _ question: DNS.Question) -> [UInt8] {
        // Recursion desired, one question. Without EDNS: answers over 512 bytes come by TCP.
        [UInt8(id >> 8), UInt8(id & 0xff), 0x01, 0, 0, 1, 0, 0, 0, 0, 0, 0] + question.wire
    }

    private static func counts(
        _ message: [UInt8]
    ) -> (questions: UInt16, answers: UInt16, authorities: UInt16, additional: UInt16)? {
        guard let questions = DNS.uint16(message, at: 4), let answers = DNS.uint16(message, at: 6),
            let authorities = DNS.uint16(message, at: 8), let additional = DNS.uint16(message, at: 10)
        else { return nil }
        return (questions, answers, authorities, additional)
    }
}

extension DNS.Question {
    var wire: [UInt8] {
        name.wire + [UInt8(type >> 8), UInt8(type & 0xff), UInt8(recordClass >> 8), UInt8(recordClass & 0xff)]
    }
}
