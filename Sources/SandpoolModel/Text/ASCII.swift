extension UInt8 {
    var isASCIIDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
    var isASCIILower: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) }
    var isASCIIUpper: Bool { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) }
    var isASCIIAlphanumeric: Bool { isASCIIDigit || isASCIILower || isASCIIUpper }
    /// C0 and DEL.
    var isASCIIControl: Bool { self < 0x20 || self == 0x7F }

    /// Whether the byte is one of the ASCII characters in `set`.
    func isOne(of set: StaticString) -> Bool { set.withUTF8Buffer { $0.contains(self) } }
}

extension StringProtocol {
    /// The text's length in UTF-8, which is what kernels and databases count.
    var byteCount: Int { utf8.count }
    /// C strings end at the first NUL: what stands behind it would silently be lost.
    var hasNUL: Bool { utf8.contains(0) }
}
