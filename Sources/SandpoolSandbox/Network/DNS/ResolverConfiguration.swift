import Glibc
import LinuxSystem

/// The host's own DNS servers, read again when the file changes (resolv.conf(5)).
struct ResolverConfiguration {
    /// As the C library: more are not asked.
    private static let serverLimit = 3
    private static let sizeLimit = 65_536

    private let path: String
    private var stamp: [Int] = []
    private var servers: [SocketAddress] = []

    init(path: String) { self.path = path }

    /// Empty when the file is missing or names none.
    mutating func current() -> [SocketAddress] {
        var status = stat()
        guard stat(path, &status) == 0 else { return servers }
        let seen = [Int(status.st_ino), Int(status.st_mtim.tv_sec), Int(status.st_mtim.tv_nsec), Int(status.st_size)]
        guard seen != stamp, let file = try? FileDescriptor.open(path, O_RDONLY),
            let bytes = try? file.readAll(limit: Self.sizeLimit)
        else { return servers }
        stamp = seen
        servers = Self.parse(String(decoding: bytes, as: UTF8.self))
        return servers
    }

    static func parse(_ text: String) -> [SocketAddress] {
        var servers: [SocketAddress] = []
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split(whereSeparator: \.isWhitespace)
            guard words.count >= 2, words[0] == "nameserver", servers.count < serverLimit,
                let server = address(words[1])
            else { continue }
            servers.append(server)
        }
        return servers
    }

    private static func address(_ text: Substring) -> SocketAddress? {
        if let address = IPv4Address.parse(text) { return .ipv4(address, port: GatewaySockets.port) }
        // A link-local server is written with the interface that it is on: fe80::1%eth0.
        let parts = text.split(separator: "%", maxSplits: 1)
        var address = in6_addr()
        guard let first = parts.first, inet_pton(AF_INET6, String(first), &address) == 1 else { return nil }
        let scope = parts.count == 2 ? if_nametoindex(String(parts[1])) : 0
        return .ipv6(address, scope: scope, port: GatewaySockets.port)
    }
}
