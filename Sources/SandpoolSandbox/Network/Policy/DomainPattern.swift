/// A name that a sandbox may look up: `example.org`, or `*.example.org` for everything below it (and not
/// `example.org` itself).
public struct DomainPattern: Equatable, Sendable {
    /// Lower case, without the `*.` and without a closing dot.
    let name: String
    let coversSubdomains: Bool

    /// Nil unless it is a host name of RFC 1123 (with `_`, which service names have) of at most 253 bytes.
    public init?(_ text: String) {
        // Before it is folded: the Kelvin sign becomes a plain k.
        guard text.utf8.allSatisfy({ $0 < 0x80 }) else { return nil }
        var rest = Substring(text.lowercased())
        coversSubdomains = rest.hasPrefix("*.")
        if coversSubdomains { rest = rest.dropFirst(2) }
        if rest.hasSuffix(".") { rest = rest.dropLast() }
        guard (1...253).contains(rest.utf8.count) else { return nil }
        let labels = rest.split(separator: ".", omittingEmptySubsequences: false)
        for label in labels {
            guard (1...63).contains(label.utf8.count), label.utf8.allSatisfy(Self.isAllowed),
                label.utf8.first != Self.hyphen, label.utf8.last != Self.hyphen
            else { return nil }
        }
        // An address is no name: `--allow-cidr` is for those.
        guard IPv4Address.parse(rest) == nil else { return nil }
        name = String(rest)
    }

    /// - Parameter queried: lower case, without a closing dot.
    func matches(_ queried: String) -> Bool {
        coversSubdomains ? queried.hasSuffix("." + name) : queried == name
    }

    var text: String { coversSubdomains ? "*." + name : name }

    private static let hyphen = UInt8(ascii: "-")

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), hyphen,
            UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
