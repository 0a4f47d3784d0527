/// The query part of a request target, built up from pairs.
struct Query {
    /// Empty, or `?` and the pairs.
    private(set) var text = ""

    mutating func add(_ key: String, _ value: String) {
        text += (text.isEmpty ? "?" : "&") + Self.escape(key) + "=" + Self.escape(value)
    }

    /// Percent-encodes all but the unreserved characters (RFC 3986, section 2.3) and `@`, which a path may hold.
    static func escape(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"), UInt8(ascii: "@"):
                bytes.append(byte)
            default:
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
