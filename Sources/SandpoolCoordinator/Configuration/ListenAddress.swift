import SandpoolAPI

/// Where a coordinator takes connections.
public enum ListenAddress: Hashable, Sendable {
    /// Bearer tokens decide what a peer may do. Port 0 takes a free one.
    case tcp(host: String, port: Int)
    /// A Unix domain socket, mode 0600: whoever can open it owns the data directory and is trusted as admin.
    case unix(path: String)

    public static let defaultPort = 7420
    public static let standard = ListenAddress.tcp(host: "127.0.0.1", port: defaultPort)
    /// `sun_path` of unix(7) has 108 bytes, its final NUL included.
    static let longestUnixPath = 107

    /// Parses `HOST:PORT` or `[V6]:PORT`.
    public init(hostPort text: String) throws(CoordinatorError) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            throw CoordinatorError("\(text): not an address of the form HOST:PORT, such as 127.0.0.1:7420")
        }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard !host.isEmpty else {
            throw CoordinatorError("\(text): the host is missing; 127.0.0.1:\(port) listens on loopback")
        }
        self = .tcp(host: host, port: Int(port))
    }

    /// Whether only this host can reach it.
    var isLocal: Bool {
        switch self {
        case .unix: true
        case .tcp(let host, _): host == "localhost" || host == "::1" || host.hasPrefix("127.")
        }
    }

    /// Whether a peer is trusted because it could connect at all.
    var trustsPeers: Bool {
        switch self {
        case .unix: true
        case .tcp: false
        }
    }
}

extension ListenAddress: CustomStringConvertible {
    public var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): path
        }
    }
}

/// A coordinator that cannot start or go on: one line that says what, where, and what to do.
public struct CoordinatorError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}
