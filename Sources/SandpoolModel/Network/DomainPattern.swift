/// A domain name, or with `*.` before it every name below it.
public struct DomainPattern: Hashable, Sendable {
    /// The name in lower case, without `*.` and without a final dot.
    public let name: String
    /// Whether the names below `name` are meant, and not `name` itself.
    public let isWildcard: Bool

    private static let hint = "write one such as example.org or *.example.org"

    /// - Throws: for what cannot be a name in the DNS (RFC 1035 §2.3.4: labels of 1 to 63 bytes, 253 in all), for
    ///   an address, and for a `*` anywhere but as the whole first label.
    public init(_ text: String) throws(ValueProblem) {
        // Before it is folded: the Kelvin sign becomes a plain k.
        guard text.utf8.allSatisfy({ $0 < 0x80 }) else {
            throw ValueProblem(text, isNot: "an ASCII name", hint: "write it in its xn-- form; \(Self.hint)")
        }
        isWildcard = text.hasPrefix("*.")
        var body = text.lowercased()[...]
        if isWildcard { body = body.dropFirst(2) }
        if body.hasSuffix(".") { body = body.dropLast() }
        let labels = body.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard (1...253).contains(body.utf8.count), labels.allSatisfy(Self.isLabel) else {
            throw ValueProblem(text, isNot: "a domain name", hint: Self.hint)
        }
        // No top-level domain is a number; resolvers would take such a name for an IPv4 address.
        guard labels.last?.allSatisfy(\.isASCIIDigit) == false else {
            throw ValueProblem(text, isNot: "a domain name", hint: "name addresses in allowCIDRs")
        }
        name = String(body)
    }

    /// Letters, digits, `-` inside, and `_`, which service names begin with.
    private static func isLabel(_ label: Substring.UTF8View) -> Bool {
        (1...63).contains(label.count) && label.first != UInt8(ascii: "-") && label.last != UInt8(ascii: "-")
            && label.allSatisfy { $0.isASCIIAlphanumeric || $0.isOne(of: "-_") }
    }

    /// Whether `name`, in any case and with or without a final dot, is meant.
    public func matches(_ name: String) -> Bool {
        var asked = name.lowercased()[...]
        if asked.hasSuffix(".") { asked = asked.dropLast() }
        return isWildcard
            ? asked.hasSuffix("." + self.name) && asked.utf8.first != UInt8(ascii: ".") : asked == self.name
    }
}

extension DomainPattern: CustomStringConvertible {
    public var description: String { isWildcard ? "*.\(name)" : name }
}
