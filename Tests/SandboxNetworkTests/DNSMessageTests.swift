import Testing

@testable import SandpoolSandbox

@Suite("DNS messages")
struct DNSMessageTests {
    /// A valid query for `www.example.org`, type A.
    private static let query: [UInt8] =
        [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0] + [3] + Array("www".utf8) + [7] + Array("example".utf8) + [3]
        + Array("org".utf8) + [0, 0, 1, 0, 1]

    /// Its answer: an alias, and the alias's address.
    private static let answer: [UInt8] = {
        var bytes = query
        bytes[2] = 0x81
        bytes[3] = 0x80
        bytes[7] = 2
        bytes += [0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 60, 0, 4, 1, UInt8(ascii: "a"), 0xc0, 16]
        return bytes + [1, UInt8(ascii: "a"), 0xc0, 16, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 203, 0, 113, 1]
    }()

    @Test("A question is read as it is written")
    func question() throws {
        let query = try DNSQuery(Self.query)
        #expect(query.question.name.text == "www.example.org")
        #expect(query.id == 0x1234)
        #expect(Array(DNSQuery.upstreamMessage(id: 0x1234, query.question)) == Self.query)
    }

    @Test("An answer is reduced to the aliases and addresses of its question")
    func reduced() throws {
        let question = try DNSQuery(Self.query).question
        let answer = try #require(DNSAnswer(Self.answer, id: 0x1234, question: question))
        #expect(answer.records.map(\.type) == [5, 1])
        #expect(answer.addresses.map(\.address) == [IPv4Address.parse("203.0.113.1")])
    }

    @Test("Every shortened message is refused, and none is misread")
    func truncated() throws {
        let question = try DNSQuery(Self.query).question
        for length in 0..<Self.query.count {
            #expect(throws: DNSQuery.Failure.self) { try DNSQuery(Array(Self.query[..<length])) }
        }
        for length in 0..<Self.answer.count {
            #expect(DNSAnswer(Array(Self.answer[..<length]), id: 0x1234, question: question) == nil)
        }
    }

    @Test("An answer to another question or under another id is none", arguments: [0, 1, 13, 20, 30, 32])
    func mismatch(position: Int) throws {
        let question = try DNSQuery(Self.query).question
        var bytes = Self.answer
        bytes[position] ^= 0x01
        #expect(DNSAnswer(bytes, id: 0x1234, question: question) == nil)
    }

    @Test(
        "Compression that loops or leads ahead is refused",
        arguments: [
            [0xc0, 12], [0xc0, 13, 0xc0, 12], [1, 65, 0xc0, 12], [0xc0, 14, 0], [0xc0, 0xff], [0xff, 0xff], [0x40, 65],
            [0x80, 65], [63, 65], [0xc0],
        ] as [[UInt8]])
    func compression(name: [UInt8]) {
        var offset = 12
        #expect(DNSName([UInt8](repeating: 0, count: 12) + name, at: &offset) == nil)
    }

    @Test("A name is at most 255 bytes, also by way of pointers")
    func longName() {
        let label = [UInt8(50)] + [UInt8](repeating: 65, count: 50)
        var offset = 0
        #expect(DNSName(label + label + label + label + [0], at: &offset) != nil)
        offset = 0
        #expect(DNSName(label + label + label + label + label + [0], at: &offset) == nil)
        // Each part points at the one before and adds a label.
        var bytes: [UInt8] = label + [0]
        var start = 0
        for _ in 0..<6 {
            let next = bytes.count
            bytes += label + [0xc0 | UInt8(start >> 8), UInt8(start & 0xff)]
            start = next
        }
        offset = start
        #expect(DNSName(bytes, at: &offset) == nil)
    }

    @Test("Random changes of valid messages are read or refused, never worse", arguments: 0..<8)
    func mutations(seed: UInt64) throws {
        var random = Xorshift(state: seed + 0x9e37_79b9)
        let question = try DNSQuery(Self.query).question
        for _ in 0..<2_000 {
            for original in [Self.query, Self.answer] {
                var bytes = original
                for _ in 0..<Int.random(in: 1...6, using: &random) {
                    bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: .min ... .max, using: &random)
                }
                if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random)) }
                if let query = try? DNSQuery(bytes) {
                    let message = DNSResponse.message(query, code: 0, limit: DNS.datagramLimit)
                    #expect(message.count <= DNS.datagramLimit)
                }
                guard let answer = DNSAnswer(bytes, id: 0x1234, question: question) else { continue }
                let reply = DNSResponse.message(
                    try DNSQuery(Self.query), code: answer.code, records: answer.records, limit: DNS.datagramLimit)
                #expect(reply.count <= DNS.datagramLimit)
            }
        }
    }

    @Test("A name with a dot inside a label is not taken for another name")
    func dotInLabel() throws {
        var offset = 0
        let name = try #require(DNSName([11] + Array("example.org".utf8) + [0], at: &offset))
        let policy = ForwarderPolicy(
            isRestricted: true, domains: [try #require(DomainPattern("example.org"))], opened: [])
        #expect(!policy.allows(name))
    }

    @Test("Messages between launcher and forwarder survive the way, and junk is refused", arguments: 0..<8)
    func controlMessages(seed: UInt64) throws {
        let policy = ForwarderPolicy(
            isRestricted: true, domains: [try #require(DomainPattern("*.example.org"))],
            opened: [try #require(IPv4Network("10.0.0.0/8"))])
        let command = ForwarderCommand.admit(address: 1, token: 2, policy)
        guard case .admit(1, 2, let read) = try ForwarderCommand(command.encoded) else { throw CodecError("kind") }
        #expect(read.isRestricted && read.domains == policy.domains && read.opened == policy.opened)
        var random = Xorshift(state: seed + 1)
        for _ in 0..<2_000 {
            let junk = (0..<Int.random(in: 0..<80, using: &random)).map { _ in
                UInt8.random(in: .min ... .max, using: &random)
            }
            _ = try? ForwarderCommand(junk)
            if let request = try? LearnRequest(junk) { #expect(request.learned.count <= LearnRequest.addressLimit) }
        }
    }
}

/// Repeatable randomness.
struct Xorshift: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}
