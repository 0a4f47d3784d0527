/// One netlink request under construction: header, fixed part, attributes (linux/netlink.h).
///
/// Numbers are in host order unless the name says otherwise: netfilter's are big-endian, rtnetlink's are not.
public struct NetlinkMessage: Sendable {
    /// `NLM_F_*`, written by the socket that sends the message.
    public struct Flags: OptionSet, Sendable {
        public let rawValue: UInt16
        public init(rawValue: UInt16) { self.rawValue = rawValue }

        public static let request = Flags(rawValue: 0x1)
        public static let ack = Flags(rawValue: 0x4)
        public static let exclusive = Flags(rawValue: 0x200)
        public static let create = Flags(rawValue: 0x400)
        public static let append = Flags(rawValue: 0x800)
        /// `NLM_F_ROOT | NLM_F_MATCH`: the whole table.
        public static let dump = Flags(rawValue: 0x300)
    }

    static let headerSize = 16
    /// An attribute's length field has 16 bits, so a message that would need more is refused when it is sent.
    static let sizeLimit = 65_535
    private static let nested: UInt16 = 0x8000

    public let type: UInt16
    public var flags: Flags
    private(set) var body: [UInt8]

    /// - Parameter header: the fixed structure that follows the netlink header, already padded to 4 bytes.
    public init(type: UInt16, flags: Flags = [], header: [UInt8]) {
        self.type = type
        self.flags = flags
        self.body = header
    }

    /// Whether a 16-bit length somewhere could have been cut.
    var isTooLong: Bool { body.count + Self.headerSize > Self.sizeLimit }

    public mutating func attribute(_ type: UInt16, _ value: some Collection<UInt8>) {
        append(UInt16(truncatingIfNeeded: value.count + 4))
        append(type)
        body.append(contentsOf: value)
        pad()
    }

    public mutating func attribute(_ type: UInt16, _ value: UInt32) {
        attribute(type, withUnsafeBytes(of: value, Array.init))
    }

    public mutating func attribute(_ type: UInt16, bigEndian value: UInt32) {
        attribute(type, withUnsafeBytes(of: value.bigEndian, Array.init))
    }

    public mutating func attribute(_ type: UInt16, bigEndian value: UInt64) {
        attribute(type, withUnsafeBytes(of: value.bigEndian, Array.init))
    }

    /// A string with its closing NUL.
    public mutating func attribute(_ type: UInt16, _ value: String) {
        attribute(type, Array(value.utf8) + [0])
    }

    /// An attribute that holds attributes.
    public mutating func nest(_ type: UInt16, header: [UInt8] = [], _ fill: (inout NetlinkMessage) -> Void) {
        let start = body.count
        append(UInt16(0))
        append(type | Self.nested)
        body.append(contentsOf: header)
        fill(&self)
        let length = UInt16(truncatingIfNeeded: body.count - start)
        withUnsafeBytes(of: length) { body.replaceSubrange(start..<start + 2, with: $0) }
    }

    /// The whole message as the kernel reads it.
    func encoded(sequence: UInt32) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.headerSize + body.count)
        withUnsafeBytes(of: UInt32(Self.headerSize + body.count)) { bytes.append(contentsOf: $0) }
        withUnsafeBytes(of: type) { bytes.append(contentsOf: $0) }
        withUnsafeBytes(of: flags.union(.request).rawValue) { bytes.append(contentsOf: $0) }
        withUnsafeBytes(of: sequence) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: [0, 0, 0, 0])
        bytes.append(contentsOf: body)
        return bytes
    }

    private mutating func append(_ value: UInt16) {
        withUnsafeBytes(of: value) { body.append(contentsOf: $0) }
    }

    private mutating func pad() {
        while body.count % 4 != 0 { body.append(0) }
    }
}
