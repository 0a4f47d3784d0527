/// Where the coordinator is, as its URL without a trailing slash: `http://HOST:PORT`, `https://…`, or
/// `http+unix://` with the socket's path, percent-encoded or plain.
public struct CoordinatorAddress: Hashable, Sendable, CustomStringConvertible {
    public let url: String

    /// - Throws: `WorkerError` for what is no such URL.
    public init(_ text: String) throws {
        let trimmed = text.hasSuffix("/") ? String(text.dropLast()) : text
        for scheme in ["http://", "https://"] where trimmed.hasPrefix(scheme) && trimmed.count > scheme.count {
            url = trimmed
            return
        }
        let unix = "http+unix://"
        guard trimmed.hasPrefix(unix), trimmed.count > unix.count else {
            throw WorkerError("\(text) is no coordinator; give a URL such as http://HOST:7420")
        }
        // The client library takes the path as the URL's host, so its slashes are encoded.
        url = unix + Self.encoded(trimmed.dropFirst(unix.count))
    }

    /// A coordinator that listens on a Unix socket.
    public init(socketPath: String) { url = "http+unix://" + Self.encoded(socketPath) }

    /// Whether something before the coordinator, which speaks plain HTTP, ends TLS for it.
    var isBehindProxy: Bool { url.hasPrefix("https://") }

    public var description: String { url }

    private static func encoded(_ path: some StringProtocol) -> String {
        guard path.contains("/") else { return String(path) }
        return path.utf8.reduce(into: "") { text, byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                text.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                text += "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
    }
}
