/// What a job's root file system is made of, as a person writes it.
public enum ImageReference: Hashable, Sendable {
    /// The worker's own `/usr`.
    case host
    /// Nothing but a skeleton.
    case scratch
    /// A Debian or Ubuntu suite that mmdebstrap installs.
    case mmdebstrap(suite: String)
    /// A reference such as `docker.io/library/python:3.12`, as it was written.
    case registry(String)
    case image(ImageID)

    private static let hint = "use host, scratch, mmdebstrap:SUITE, an im-… id, or a registry reference"

    /// - Throws: for what can be none of these. Whether the image exists is not known here.
    public init(_ text: String) throws(ValueProblem) {
        let problem = ValueProblem(text, isNot: "an image", hint: Self.hint)
        guard (1...SpecBounds.imageBytes).contains(text.utf8.count) else { throw problem }
        if text == "host" {
            self = .host
        } else if text == "scratch" {
            self = .scratch
        } else if text.hasPrefix("mmdebstrap:") || text == "mmdebstrap" {
            let suite = String(text.dropFirst("mmdebstrap:".count))
            // The suite becomes an argument of a program: nothing that could be an option or a path.
            guard (1...32).contains(suite.utf8.count), suite.utf8.allSatisfy(\.isASCIILower) else {
                throw ValueProblem(text, isNot: "a suite", hint: "write one such as mmdebstrap:bookworm")
            }
            self = .mmdebstrap(suite: suite)
        } else if text.hasPrefix("im-"), !text.contains("/"), !text.contains(":") {
            guard let id = ImageID(text) else {
                throw ValueProblem(text, isNot: "an image's id", hint: "it is im- and 26 letters and digits")
            }
            self = .image(id)
        } else {
            guard RegistryReference.isWellFormed(text) else { throw problem }
            self = .registry(text)
        }
    }
}

/// The grammar of image references
/// (<https://github.com/distribution/reference>: `[HOST[:PORT]/]PATH[:TAG][@sha256:DIGITS]`).
enum RegistryReference {
    static func isWellFormed(_ text: String) -> Bool {
        var rest = text[...]
        if let at = rest.firstIndex(of: "@") {
            guard BlobDigest.isWellFormed(String(rest[rest.index(after: at)...])) else { return false }
            rest = rest[..<at]
        }
        var components = rest.split(separator: "/", omittingEmptySubsequences: false)
        guard let last = components.popLast() else { return false }
        let parts = last.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2, !isTag(parts[1]) { return false }
        components.append(parts[0])
        // The first of several components is a host when it could be no path.
        if components.count > 1, let host = components.first, host.contains(where: { ".:".contains($0) }) {
            guard isHost(host) else { return false }
            components.removeFirst()
        }
        return components.allSatisfy(isPathComponent)
    }

    private static func isTag(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, first.isASCIIAlphanumeric || first == UInt8(ascii: "_") else { return false }
        return text.utf8.count <= 128 && text.utf8.allSatisfy { $0.isASCIIAlphanumeric || $0.isOne(of: "._-") }
    }

    private static func isHost(_ text: Substring) -> Bool {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2, UInt16(parts[1]) == nil { return false }
        return parts[0].utf8.first?.isASCIIAlphanumeric == true
            && parts[0].utf8.allSatisfy { $0.isASCIIAlphanumeric || $0.isOne(of: ".-") }
    }

    /// Lower-case letters and digits; `.`, `_` and `-` only between them.
    private static func isPathComponent(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, let last = text.utf8.last else { return false }
        return [first, last].allSatisfy { $0.isASCIILower || $0.isASCIIDigit }
            && text.utf8.allSatisfy { $0.isASCIILower || $0.isASCIIDigit || $0.isOne(of: "._-") }
    }
}
