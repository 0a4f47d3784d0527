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
