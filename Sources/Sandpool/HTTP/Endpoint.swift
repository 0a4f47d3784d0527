import NIOCore

/// Where a coordinator listens: `http://HOST[:PORT]`, or `unix:PATH` for a Unix socket.
public struct Endpoint: Hashable, Sendable, CustomStringConvertible {
    enum Address: Hashable, Sendable {
        case tcp(host: String, port: Int)
        case unix(path: String)
    }

    let address: Address

    /// The port that `coordinator start` listens on unless told another.
    public static let defaultPort = 7420

    /// A coordinator on this host that listens on a Unix socket.
    public init(socketPath: String) { address = .unix(path: socketPath) }

    /// Reads a URL. What is not understood is an error, never a guess.
    public init(url: String) throws(SandpoolError) {
        if let path = ["http+unix://", "unix://", "unix:"].lazy.compactMap(url.droppingPrefix).first {
            guard path.hasPrefix("/") else { throw Self.invalid(url, "a Unix socket needs an absolute path") }
            address = .unix(path: path)
            return
        }
        if url.hasPrefix("https://") {
            throw Self.invalid(
                url, "TLS is not built into this version; use http:// to loopback or through a tunnel")
        }
        guard var rest = url.droppingPrefix("http://") else {
            throw Self.invalid(url, "write http://HOST:PORT or unix:/PATH")
        }
        if rest.hasSuffix("/") { rest.removeLast() }
        guard !rest.isEmpty, !rest.contains(where: { "/?#@ ".contains($0) }) else {
            throw Self.invalid(url, "write http://HOST:PORT without a path, a user or a query")
        }
        var host = Substring(rest)
        var port = Self.defaultPort
        // The last colon separates a port unless it stands inside the brackets of an IPv6 address.
        if let colon = rest.lastIndex(of: ":"), !rest[colon...].contains("]") {
            guard let number = UInt16(rest[rest.index(after: colon)...]), number > 0 else {
                throw Self.invalid(url, "the port is a number from 1 to 65535")
            }
            port = Int(number)
            host = rest[..<colon]
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty else { throw Self.invalid(url, "the host is missing") }
        address = .tcp(host: String(host), port: port)
    }

    private static func invalid(_ url: String, _ hint: String) -> SandpoolError {
        SandpoolError(code: "invalid_url", message: "cannot use \(url) as the coordinator's URL", hint: hint)
    }

    public var description: String {
        switch address {
        case .tcp(let host, let port): "http://\(bracketed(host)):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }

    /// What goes into the `Host` header (RFC 9112, section 3.2).
    var hostHeader: String {
        switch address {
        case .tcp(let host, let port): "\(bracketed(host)):\(port)"
        case .unix: "localhost"
        }
    }

    private func bracketed(_ host: String) -> String { host.contains(":") ? "[\(host)]" : host }
}

extension String {
    func droppingPrefix(_ prefix: String) -> String? {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
    }
}
