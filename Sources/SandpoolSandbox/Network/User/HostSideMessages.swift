/// What the launcher tells its process in the host's net namespace, one SEQPACKET message each.
enum HostSideCommand: Equatable {
    static let sizeLimit = 64
    static let descriptorLimit = 2

    /// Beside it: a net namespace, and the pipe for what pasta says.
    case connect(token: UInt64, address: UInt32, gateway: UInt32)
    case disconnect(token: UInt64)
    /// Beside it: the forwarder's end of its connection to the launcher.
    case forward

    var descriptorCount: Int {
        switch self {
        case .connect: 2
        case .disconnect: 0
        case .forward: 1
        }
    }

    var encoded: [UInt8] {
        var writer = ByteWriter()
        switch self {
        case .connect(let token, let address, let gateway):
            writer.write(UInt8(1))
            writer.write(token)
            writer.write(address)
            writer.write(gateway)
        case .disconnect(let token):
            writer.write(UInt8(2))
            writer.write(token)
        case .forward: writer.write(UInt8(3))
        }
        return writer.bytes
    }

    init(_ bytes: [UInt8]) throws(CodecError) {
        var reader = ByteReader(bytes)
        switch try reader.read(UInt8.self) {
        case 1: self = .connect(token: try reader.read(), address: try reader.read(), gateway: try reader.read())
        case 2: self = .disconnect(token: try reader.read())
        case 3: self = .forward
        case let kind: throw CodecError("unknown command \(kind) for the host's side")
        }
        try reader.expectEnd()
    }
}

/// What that process tells the launcher, one SEQPACKET message each.
enum HostSideEvent: Equatable {
    static let sizeLimit = 16

    /// The process that `connect` started is gone, and its interface with it.
    case ended(token: UInt64)

    var encoded: [UInt8] {
        var writer = ByteWriter()
        switch self {
        case .ended(let token):
            writer.write(UInt8(1))
            writer.write(token)
        }
        return writer.bytes
    }

    init(_ bytes: [UInt8]) throws(CodecError) {
        var reader = ByteReader(bytes)
        switch try reader.read(UInt8.self) {
        case 1: self = .ended(token: try reader.read())
        case let kind: throw CodecError("unknown event \(kind) of the host's side")
        }
        try reader.expectEnd()
    }
}
