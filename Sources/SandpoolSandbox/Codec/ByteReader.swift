/// A message that cannot be read.
public struct CodecError: Error, Equatable, Sendable, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}

/// Reads what `ByteWriter` wrote. Never traps and never allocates more than the input is long, whatever the
/// bytes are.
public struct ByteReader {
    private let bytes: [UInt8]
    private var position = 0
    /// What `readDescriptor` has read.
    private(set) var descriptors: [Int32] = []

    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    private var remaining: Int { bytes.count - position }

    public mutating func read<Value: FixedWidthInteger & UnsignedInteger>(
        _ type: Value.Type = Value.self
    ) throws(CodecError) -> Value {
        let size = MemoryLayout<Value>.size
        guard remaining >= size else { throw CodecError("the message ends inside a number") }
        var value: Value = 0
        for index in 0..<size { value |= Value(truncatingIfNeeded: bytes[position + index]) << Value(8 * index) }
        position += size
        return value
    }

    public mutating func readBool() throws(CodecError) -> Bool {
        switch try read(UInt8.self) {
        case 0: return false
        case 1: return true
        case let other: throw CodecError("\(other) is not a truth value")
        }
    }

    public mutating func readString() throws(CodecError) -> String {
        let count = Int(try read(UInt32.self))
        guard count <= remaining else { throw CodecError("the message ends inside a string") }
        let slice = bytes[position..<position + count]
        position += count
        guard let text = String(validating: slice, as: UTF8.self) else { throw CodecError("a string is not UTF-8") }
        return text
    }

    public mutating func readArray<Element>(
        _ body: (inout ByteReader) throws(CodecError) -> Element
    ) throws(CodecError) -> [Element] {
        let count = Int(try read(UInt32.self))
        // Every element takes a byte at least.
        guard count <= remaining else { throw CodecError("the message ends inside an array") }
        var elements: [Element] = []
        for _ in 0..<count { elements.append(try body(&self)) }
        return elements
    }

    public mutating func readStrings() throws(CodecError) -> [String] {
        try readArray { reader throws(CodecError) in try reader.readString() }
    }

    /// Goes past what `readStrings` would read, and keeps no copy of it.
    mutating func skipStrings() throws(CodecError) {
        for _ in 0..<(try read(UInt32.self)) {
            let count = Int(try read(UInt32.self))
            guard count <= remaining else { throw CodecError("the message ends inside a string") }
            position += count
        }
    }

    public mutating func readEnum<Value: RawRepresentable>(
        _ type: Value.Type = Value.self
    ) throws(CodecError) -> Value where Value.RawValue == UInt8 {
        let raw = try read(UInt8.self)
        guard let value = Value(rawValue: raw) else { throw CodecError("unknown \(Value.self) \(raw)") }
        return value
    }

    mutating func readOptional<Value>(
        _ body: (inout ByteReader) throws(CodecError) -> Value
    ) throws(CodecError) -> Value? {
        try readBool() ? try body(&self) : nil
    }

    /// The number of one that is not a standard one.
    mutating func readDescriptor() throws(CodecError) -> Int32 {
        let number = try read(UInt32.self)
        guard number > 2, let number = Int32(exactly: number) else { throw CodecError("\(number) is no descriptor") }
        descriptors.append(number)
        return number
    }

    /// Every message is read whole.
    public func expectEnd() throws(CodecError) {
        guard remaining == 0 else { throw CodecError("\(remaining) bytes too many") }
    }
}
