/// What the launcher tells the DNS forwarder, one SEQPACKET message each.
enum ForwarderCommand {
    static let sizeLimit = 65_536
    static let descriptorLimit = 2

    /// Questions from `address` are from a sandbox with this policy. Replaces what was known of the address. Beside
    /// it may be the sockets at which that sandbox asks, and no other.
    case admit(address: UInt32, token: UInt64, ForwarderPolicy)
    case forget(address: UInt32, token: UInt64)
    /// The addresses of request `number` are in the sandbox's filter, or could not be added.
    case learned(number: UInt64, isAdded: Bool)

    var encoded: [UInt8] {
        var writer = ByteWriter()
        switch self {
        case .admit(let address, let token, let policy):
            writer.write(UInt8(1))
            writer.write(address)
            writer.write(token)
            writer.write(policy.isRestricted)
            writer.write(policy.domains.map(\.text))
            writer.write(policy.opened.map(\.description))
        case .forget(let address, let token):
            writer.write(UInt8(2))
            writer.write(address)
            writer.write(token)
        case .learned(let number, let isAdded):
            writer.write(UInt8(3))
            writer.write(number)
            writer.write(isAdded)
        }
        return writer.bytes
    }

    init(_ bytes: [UInt8]) throws(CodecError) {
        var reader = ByteReader(bytes)
        switch try reader.read(UInt8.self) {
        case 1:
            self = .admit(
                address: try reader.read(), token: try reader.read(),
                ForwarderPolicy(
                    isRestricted: try reader.readBool(),
                    domains: try reader.readStrings().compactMap(DomainPattern.init),
                    opened: try reader.readStrings().compactMap { IPv4Network($0) }))
        case 2: self = .forget(address: try reader.read(), token: try reader.read())
        case 3: self = .learned(number: try reader.read(), isAdded: try reader.readBool())
        case let kind: throw CodecError("unknown forwarder command \(kind)")
        }
        try reader.expectEnd()
    }
}

/// The part of a sandbox's policy that the forwarder enforces.
struct ForwarderPolicy {
    /// Only names of `domains` are asked, and their addresses go into the sandbox's filter first.
    var isRestricted: Bool
    var domains: [DomainPattern]
    var opened: [IPv4Network]

    func allows(_ name: DNSName) -> Bool {
        guard isRestricted else { return true }
        guard let text = name.text else { return false }
        return domains.contains { $0.matches(text) }
    }
}

/// What the forwarder asks: addresses for the filter of the sandbox that `token` names, each with its time
/// to live in seconds. The launcher trusts it no further than that.
struct LearnRequest {
    static let addressLimit = 64
    static let sizeLimit = 1_024

    var number: UInt64
    var address: UInt32
    var token: UInt64
    var learned: [(address: UInt32, ttl: UInt32)]

    init(number: UInt64, address: UInt32, token: UInt64, learned: [(address: UInt32, ttl: UInt32)]) {
        self.number = number
        self.address = address
        self.token = token
        self.learned = learned
    }

    var encoded: [UInt8] {
        var writer = ByteWriter()
        writer.write(number)
        writer.write(address)
        writer.write(token)
        writer.write(learned) {
            $0.write($1.address)
            $0.write($1.ttl)
        }
        return writer.bytes
    }

    init(_ bytes: [UInt8]) throws(CodecError) {
        var reader = ByteReader(bytes)
        number = try reader.read()
        address = try reader.read()
        token = try reader.read()
        learned = try reader.readArray { reader throws(CodecError) in
            (address: try reader.read(), ttl: try reader.read())
        }
        try reader.expectEnd()
        guard learned.count <= Self.addressLimit else { throw CodecError("\(learned.count) addresses at once") }
    }
}
