/// One entry of a tar archive in its oldest form (ustar, pax(1)), in which a name can be anything: what probes are
/// unpacked from, and what a hostile archive is made of.
public struct TarEntry: Sendable {
    public enum Kind: Character, Sendable {
        case file = "0"
        case hardLink = "1"
        case symbolicLink = "2"
        case characterDevice = "3"
        case blockDevice = "4"
    }

    /// At most 100 bytes, as the target.
    public var name: String
    public var content: [UInt8]
    /// Such as 0o4755.
    public var mode: Int
    public var kind: Kind
    /// Of a link.
    public var target: String

    public init(_ name: String, _ content: [UInt8] = [], mode: Int, kind: Kind = .file, target: String = "") {
        self.name = name
        self.content = content
        self.mode = mode
        self.kind = kind
        self.target = target
    }

    /// Entries and the end of an archive.
    public static func archive(_ entries: [TarEntry]) -> [UInt8] {
        entries.flatMap(\.bytes) + [UInt8](repeating: 0, count: 2 * block)
    }

    private static let block = 512
    private static let nameLimit = 100

    private var bytes: [UInt8] {
        var header = [UInt8](repeating: 0, count: Self.block)
        func put(_ text: String, at offset: Int) {
            let text = text.utf8.prefix(Self.nameLimit)
            header.replaceSubrange(offset..<offset + text.count, with: text)
        }
        func octal(_ value: Int, _ width: Int) -> String {
            let digits = String(value, radix: 8)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        put(name, at: 0)
        // Mode, owner, group, size, time, and the numbers of a device: those of /dev/null.
        let numbers = [
            (100, mode, 7), (108, 0, 7), (116, 0, 7), (124, content.count, 11), (136, 0, 11), (329, 1, 7), (337, 3, 7),
        ]
        for (offset, value, width) in numbers { put(octal(value, width), at: offset) }
        // The sum of the header counts with spaces in its own place.
        put("        ", at: 148)
        put(String(kind.rawValue), at: 156)
        put(target, at: 157)
        put("ustar", at: 257)
        put("00", at: 263)
        put(octal(header.reduce(0) { $0 + Int($1) }, 6) + "\0", at: 148)
        let padding = (Self.block - content.count % Self.block) % Self.block
        return header + content + [UInt8](repeating: 0, count: padding)
    }
}
