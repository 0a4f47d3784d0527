/// Writes the fields of a message in order: little-endian numbers, strings and arrays with a count before them.
public struct ByteWriter {
    public private(set) var bytes: [UInt8] = []

    public init() {}

    public mutating func write<Value: FixedWidthInteger & UnsignedInteger>(_ value: Value) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    public mutating func write(_ value: Bool) { write(UInt8(value ? 1 : 0)) }

    public mutating func write(_ text: String) {
        let utf8 = Array(text.utf8)
        write(UInt32(clamping: utf8.count))
        bytes.append(contentsOf: utf8)
    }

    public mutating func write<Element>(_ elements: [Element], _ body: (inout ByteWriter, Element) -> Void) {
        write(UInt32(clamping: elements.count))
        for element in elements { body(&self, element) }
    }

    public mutating func write(_ texts: [String]) { write(texts) { $0.write($1) } }

    mutating func write<Value>(optional value: Value?, _ body: (inout ByteWriter, Value) -> Void) {
        write(value != nil)
        if let value { body(&self, value) }
    }

    mutating func write(descriptor number: Int32) { write(UInt32(bitPattern: number)) }
}
