@testable import SandpoolSandbox

/// What the DNS forwarder reads: sandboxes' questions, strangers' answers, the launcher's commands; and what it asks
/// the launcher.
extension FuzzTarget {
    static let forwarder = [
        FuzzTarget(
            "dns-query", sources: dns + ["SandpoolSandbox/Network/DNS/DNSQuery.swift"], seeds: DNSSamples.queries
        ) {
            bytes in
            guard let query = try? DNSQuery(bytes) else { return .refused }
            return DNSProperties.violation(query).map(Verdict.broken) ?? .accepted
        },
        FuzzTarget(
            "dns-answer",
            sources: dns + [
                "SandpoolSandbox/Network/DNS/DNSAnswer.swift", "SandpoolSandbox/Network/DNS/DNSResponse.swift",
            ], seeds: DNSSamples.answers
        ) { bytes in
            guard let query = try? DNSQuery(DNSSamples.query),
                let answer = DNSAnswer(bytes, id: query.id, question: query.question)
            else { return .refused }
            return DNSProperties.violation(answer, to: query).map(Verdict.broken) ?? .accepted
        },
        FuzzTarget(
            "forwarder-command", sources: ["SandpoolSandbox/Network/DNS/ForwarderMessages.swift"],
            seeds: DNSSamples.commands
        ) { bytes in
            // Entries that are no domains or networks are left out, so the first reading may lose something.
            guard let command = try? ForwarderCommand(bytes) else { return .refused }
            let encoded = command.encoded
            guard let again = try? ForwarderCommand(encoded), again.encoded == encoded else {
                return .broken("\(command) does not read back")
            }
            return .accepted
        },
        canonical(
            "learn-request", sources: ["SandpoolSandbox/Network/DNS/ForwarderMessages.swift"],
            seeds: [
                LearnRequest(number: 1, address: 2, token: 3, learned: []).encoded,
                LearnRequest(number: 1, address: 2, token: 3, learned: [(0xcb00_7101, 60), (0, .max)]).encoded,
            ],
            decode: LearnRequest.init(_:), encode: \.encoded,
            also: { $0.learned.count <= LearnRequest.addressLimit ? nil : "\($0.learned.count) addresses at once" }),
        canonical(
            "host-side-command", sources: ["SandpoolSandbox/Network/User/HostSideMessages.swift"],
            seeds: [
                HostSideCommand.connect(token: 1, address: 2, gateway: 3), .disconnect(token: 1), .forward,
            ].map(\.encoded),
            decode: HostSideCommand.init(_:), encode: \.encoded),
        canonical(
            "host-side-event", sources: ["SandpoolSandbox/Network/User/HostSideMessages.swift"],
            seeds: [HostSideEvent.ended(token: 1).encoded], decode: HostSideEvent.init(_:), encode: \.encoded),
        FuzzTarget(
            "pasta-words", sources: ["SandpoolSandbox/Network/User/PastaWords.swift"],
            seeds: [Array("Failed to send 46 bytes to syslog\n4711\n".utf8), Array("No such option\n".utf8)]
        ) { bytes in
            // All at once or byte by byte, it comes to the same.
            var (whole, parts) = (PastaWords(), PastaWords())
            let verdict = whole.take(bytes) ?? whole.take([])
            let pieces = bytes.lazy.compactMap { parts.take([$0]) }.first ?? parts.take([])
            guard let verdict, let pieces, verdict == pieces || bytes.count >= PastaWords.limit else {
                return .broken("\(String(describing: verdict)) or \(String(describing: pieces))")
            }
            guard case .ended(let reason) = verdict else { return .accepted }
            return reason.utf8.count <= 200 && reason.utf8.allSatisfy { (32...126).contains($0) }
                ? .accepted : .broken("'\(reason)' is no line for people")
        },
    ]

    private static let dns = [
        "SandpoolSandbox/Network/DNS/DNSMessage.swift", "SandpoolSandbox/Network/DNS/DNSName.swift",
    ]
}

enum DNSSamples {
    private static let question: [UInt8] =
        [3] + Array("www".utf8) + [7] + Array("example".utf8) + [3] + Array("org".utf8) + [0, 0, 1, 0, 1]

    /// `www.example.org`, type A.
    static let query: [UInt8] = [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0] + question

    static let queries = [
        query,
        // With an OPT record (RFC 6891).
        [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1] + question + [0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, 0],
    ]

    private static func answer(_ count: UInt8, _ records: [UInt8]) -> [UInt8] {
        [0x12, 0x34, 0x81, 0x80, 0, 1, 0, count, 0, 0, 0, 0] + question + records
    }

    private static let pointer: [UInt8] = [0xc0, 12]

    /// An address; an alias and its address; a service (RFC 2782) and a zone's start with names inside their data.
    static let answers = [
        answer(1, pointer + [0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 203, 0, 113, 1]),
        answer(
            2,
            pointer + [0, 5, 0, 1, 0, 0, 0, 60, 0, 4, 1, 97, 0xc0, 16]
                + [1, 97, 0xc0, 16, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 203, 0, 113, 1]),
        answer(
            2,
            pointer + [0, 33, 0, 1, 0, 0, 0, 60, 0, 8, 0, 1, 0, 2, 0, 53, 0xc0, 12]
                + pointer + [0, 6, 0, 1, 0, 0, 0, 60, 0, 24, 0xc0, 12, 0xc0, 16] + [UInt8](repeating: 1, count: 20)),
        answer(0, []),
    ]

    static let commands: [[UInt8]] = [
        ForwarderCommand.admit(
            address: 1, token: 2,
            ForwarderPolicy(
                isRestricted: true, domains: ["*.example.org", "a.b"].compactMap(DomainPattern.init),
                opened: ["10.0.0.0/8"].compactMap { IPv4Network($0) })),
        .forget(address: 1, token: 2), .learned(number: 3, isAdded: true),
    ].map(\.encoded)
}

private enum DNSProperties {
    static func violation(_ query: DNSQuery) -> String? {
        let asked = DNSQuery.upstreamMessage(id: query.id, query.question)
        guard let again = try? DNSQuery(asked), again.id == query.id, again.question == query.question else {
            return "the question goes on as another one"
        }
        guard query.question.name.wire.count <= 255 else { return "a name of more than 255 bytes" }
        for limit in [DNS.datagramLimit, DNS.extendedDatagramLimit] {
            let reply = DNSResponse.message(query, code: 0, limit: limit)
            guard reply.count <= limit else { return "\(reply.count) bytes where \(limit) fit" }
        }
        return nil
    }

    /// What is handed on is what was read: no more, in an answer that reads back and fits.
    static func violation(_ answer: DNSAnswer, to query: DNSQuery) -> String? {
        var stripped = answer
        stripped.strip(opened: [])
        for (address, _) in stripped.addresses where DroppedRanges.contains(address) {
            return "\(IPv4Address.text(address)) was handed on"
        }
        for limit in [DNS.datagramLimit, DNS.streamLimit] {
            let reply = DNSResponse.message(query, code: answer.code, records: answer.records, limit: limit)
            guard reply.count <= limit else { return "\(reply.count) bytes where \(limit) fit" }
            guard let again = DNSAnswer(reply, id: query.id, question: query.question) else {
                return "the reply does not read back"
            }
            if again.isTruncated { continue }
            guard again.code == answer.code, again.records.map(\.data) == answer.records.map(\.data),
                again.records.map(\.ttl) == answer.records.map(\.ttl),
                again.records.map(\.name.folded) == answer.records.map(\.name.folded)
            else { return "the reply reads back as another one" }
        }
        return nil
    }
}
