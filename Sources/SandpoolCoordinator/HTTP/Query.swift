import SandpoolAPI
import SandpoolModel

/// The parameters of a request's URL, in order.
struct Query: Hashable, Sendable {
    private var pairs: [(name: String, value: String)] = []

    static func == (left: Query, right: Query) -> Bool {
        left.pairs.elementsEqual(right.pairs) { $0 == $1 }
    }

    func hash(into hasher: inout Hasher) {
        for pair in pairs {
            hasher.combine(pair.name)
            hasher.combine(pair.value)
        }
    }

    init(_ text: String?) {
        for pair in (text ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            pairs.append((Self.decoded(parts[0]), parts.count > 1 ? Self.decoded(parts[1]) : ""))
        }
    }

    func values(_ name: String) -> [String] { pairs.filter { $0.name == name }.map(\.value) }

    /// Refuses parameters that the route does not know: a misspelt filter would otherwise match everything.
    func check(known: [String]) throws(APIError) {
        guard let unknown = pairs.first(where: { !known.contains($0.name) })?.name else { return }
        throw Self.problem(
            TerminalText.harmless(unknown, limit: 64), "no such parameter",
            hint: known.isEmpty ? "leave it out" : "known: \(known.joined(separator: ", "))")
    }

    func flag(_ name: String) throws(APIError) -> Bool {
        switch values(name).last {
        case nil, "false", "0": return false
        case "true", "1", "": return true
        default: throw Self.problem(name, "is neither true nor false")
        }
    }

    func number(_ name: String, in range: ClosedRange<Int64>) throws(APIError) -> Int64? {
        guard let text = values(name).last else { return nil }
        guard let number = Int64(text), range.contains(number) else {
            throw Self.problem(name, "is not a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    static func problem(_ name: String, _ message: String, hint: String? = nil) -> APIError {
        APIError(status: 422, code: "invalid_query", message: "\(name): \(message)", hint: hint)
    }

    /// Percent-escapes and `+` decoded (application/x-www-form-urlencoded); a broken escape stays as it is.
    private static func decoded(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): bytes.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                let digits = String(Substring(rest.prefix(2)))
                if digits.utf8.count == 2, let value = UInt8(digits, radix: 16) {
                    bytes.append(value)
                    rest = rest.dropFirst(2)
                } else {
                    bytes.append(byte)
                }
            default: bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
