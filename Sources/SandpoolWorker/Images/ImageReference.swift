/// What a spec's `image` names, as far as this worker can make it.
enum ImageReference: Hashable, Sendable {
    case host
    case scratch
    /// A Debian suite, such as `bookworm`.
    case mmdebstrap(suite: String)
    case unknown(String)

    init(_ text: String?) {
        let mmdebstrap = "mmdebstrap:"
        switch text {
        case nil, "host": self = .host
        case "scratch": self = .scratch
        case .some(let text) where text.hasPrefix(mmdebstrap):
            let suite = String(text.dropFirst(mmdebstrap.count))
            self = Self.isSuite(suite) ? .mmdebstrap(suite: suite) : .unknown(text)
        case .some(let text): self = .unknown(text)
        }
    }

    /// Suites become part of a layer's id and an argument of a program: lower-case letters, digits and dashes,
    /// beginning with a letter.
    private static func isSuite(_ text: String) -> Bool {
        guard let first = text.utf8.first, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first) else { return false }
        return text.utf8.count <= 32
            && text.utf8.allSatisfy {
                switch $0 {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}
