/// Finds single values in JSON that this project's coordinator wrote, without building the rest: a whole decode
/// of a job costs more than a millisecond in a process that does it once.
struct JSONFields {
    private let bytes: [UInt8]

    /// Deeper than any message of the run stream, and a bound on hostile nesting.
    private static let depthLimit = 64

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The value under a path of keys, as it is written; `nil` where there is none.
    subscript(path: String...) -> ArraySlice<UInt8>? {
        var value = bytes[...]
        for key in path {
            guard let inner = Self.value(of: key, in: value) else { return nil }
            value = inner
        }
        return value
    }

    /// The text of a string that needs no unescaping.
    static func text(_ value: ArraySlice<UInt8>?) -> String? {
        guard let value, value.count >= 2, value.first == quote, value.last == quote, !value.contains(backslash) else {
            return nil
        }
        return String(decoding: value.dropFirst().dropLast(), as: UTF8.self)
    }

    /// A whole number.
    static func number(_ value: ArraySlice<UInt8>?) -> Int32? {
        value.flatMap { Int32(String(decoding: $0, as: UTF8.self)) }
    }

    private static let quote = UInt8(ascii: "\"")
    private static let backslash = UInt8(ascii: "\\")

    /// Looks a key up among the members of an object.
    private static func value(of key: String, in object: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard object.first == UInt8(ascii: "{") else { return nil }
        var position = object.startIndex + 1
        while position < object.endIndex, object[position] == quote {
            guard let nameEnd = end(of: position, in: object), nameEnd < object.endIndex,
                object[nameEnd] == UInt8(ascii: ":"), let valueEnd = end(of: nameEnd + 1, in: object)
            else { return nil }
            if object[position + 1..<nameEnd - 1].elementsEqual(key.utf8) { return object[nameEnd + 1..<valueEnd] }
            guard valueEnd < object.endIndex, object[valueEnd] == UInt8(ascii: ",") else { return nil }
            position = valueEnd + 1
        }
        return nil
    }

    /// Where the value that begins at `start` ends.
    private static func end(of start: Int, in bytes: ArraySlice<UInt8>) -> Int? {
        var position = start
        var depth = 0
        while position < bytes.endIndex {
            switch bytes[position] {
            case quote:
                position += 1
                while position < bytes.endIndex, bytes[position] != quote {
                    position += bytes[position] == backslash ? 2 : 1
                }
                guard position < bytes.endIndex else { return nil }
                position += 1
                if depth == 0 { return position }
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                guard depth <= depthLimit else { return nil }
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                // The end of what is around a number or a word.
                if depth == 0 { return position > start ? position : nil }
                depth -= 1
                if depth == 0 { return position + 1 }
            case UInt8(ascii: ",") where depth == 0:
                return position > start ? position : nil
            default: break
            }
            position += 1
        }
        return nil
    }
}

extension String {
    /// This text as a JSON string (RFC 8259, section 7).
    var asJSON: String {
        var text = "\""
        for scalar in unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case _ where scalar.value < 0x20:
                let hexadecimal = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - hexadecimal.count) + hexadecimal
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }
}
