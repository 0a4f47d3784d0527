/// One message that the kernel sent: its type and what follows the netlink header.
public struct NetlinkReply {
    public let type: UInt16
    public let payload: ArraySlice<UInt8>

    /// The attributes after a fixed part of `headerSize` bytes.
    public func attributes(after headerSize: Int) -> NetlinkAttributes {
        NetlinkAttributes(payload.dropFirst(headerSize))
    }

    /// A number of the fixed part; 0 when the message is too short to hold it.
    public func uint32(at offset: Int) -> UInt32 { payload.hostUInt32(at: offset) }

    public func byte(at offset: Int) -> UInt8 {
        offset < payload.count ? payload[payload.startIndex + offset] : 0
    }
}

/// The messages of one datagram, each with the number of the request that it answers. Every length is checked
/// against what is there; a malformed tail ends the run.
struct NetlinkDatagram: Sequence, IteratorProtocol {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    mutating func next() -> (reply: NetlinkReply, sequence: UInt32)? {
        let headerSize = NetlinkMessage.headerSize
        guard rest.count >= headerSize else { return nil }
        let length = Int(rest.hostUInt32(at: 0))
        guard length >= headerSize, length <= rest.count else { return nil }
        let start = rest.startIndex
        let reply = NetlinkReply(type: rest.hostUInt16(at: 4), payload: rest[start + headerSize..<start + length])
        let sequence = rest.hostUInt32(at: 8)
        rest = rest.dropFirst((length + 3) & ~3)
        return (reply, sequence)
    }
}

/// A run of attributes. Every length is checked against what is there; a malformed tail ends the run.
public struct NetlinkAttributes: Sequence, IteratorProtocol {
    public struct Attribute {
        public let type: UInt16
        public let value: ArraySlice<UInt8>

        public var nested: NetlinkAttributes { NetlinkAttributes(value) }
        public var uint32: UInt32 { value.hostUInt32(at: 0) }
        public var bigEndian32: UInt32 { UInt32(bigEndian: uint32) }
        /// The bytes before the first NUL.
        public var string: String { String(decoding: value.prefix { $0 != 0 }, as: UTF8.self) }
    }

    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    public mutating func next() -> Attribute? {
        guard rest.count >= 4 else { return nil }
        let length = Int(rest.hostUInt16(at: 0))
        guard length >= 4, length <= rest.count else { return nil }
        let start = rest.startIndex
        // NLA_F_NESTED and NLA_F_NET_BYTEORDER are the two high bits of the type.
        let attribute = Attribute(type: rest.hostUInt16(at: 2) & 0x3fff, value: rest[start + 4..<start + length])
        rest = rest.dropFirst((length + 3) & ~3)
        return attribute
    }

    public subscript(type: UInt16) -> Attribute? { first { $0.type == type } }
}

extension ArraySlice<UInt8> {
    func hostUInt16(at offset: Int) -> UInt16 {
        guard offset + 2 <= count else { return 0 }
        return withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt16.self) }
    }

    func hostUInt32(at offset: Int) -> UInt32 {
        guard offset + 4 <= count else { return 0 }
        return withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self) }
    }
}
