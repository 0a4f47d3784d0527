import Glibc

/// A blocking connection to a coordinator, without a thread or an event loop beside it.
final class QuickConnection {
    /// The connection ended or broke.
    struct Lost: Error {}

    private let descriptor: Int32

    /// Connects to a Unix socket or a literal IPv4 address; `nil` for any other endpoint and for every failure.
    init?(_ endpoint: Endpoint) {
        switch endpoint.address {
        case .unix(let path):
            var address = sockaddr_un()
            guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
            guard let connected = Self.connect(AF_UNIX, address) else { return nil }
            descriptor = connected
        case .tcp(let host, let port):
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = UInt16(port).bigEndian
            guard inet_pton(AF_INET, host, &address.sin_addr) == 1, host.hasPrefix("127."),
                let connected = Self.connect(AF_INET, address)
            else { return nil }
            descriptor = connected
            var on: Int32 = 1
            setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        }
    }

    deinit { close(descriptor) }

    /// Only to this host, where connecting either works or fails at once.
    private static func connect<Address>(_ family: Int32, _ address: Address) -> Int32? {
        let descriptor = socket(family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        let result = withUnsafeBytes(of: address) { bytes in
            bytes.withMemoryRebound(to: sockaddr.self) {
                Glibc.connect(descriptor, $0.baseAddress, socklen_t(bytes.count))
            }
        }
        if result == 0 { return descriptor }
        close(descriptor)
        return nil
    }

    func send(_ bytes: [UInt8]) throws(Lost) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if sent < 0, errno == EINTR { continue }
            guard sent > 0 else { throw Lost() }
            rest = rest.dropFirst(sent)
        }
    }

    enum Arrival {
        case bytes(ArraySlice<UInt8>)
        /// `other` is readable.
        case other
        case nothing
    }

    /// Waits for bytes, for `other` to be readable, or for the time to pass; -1 for `other` is none, and for the
    /// time it is for ever (poll(2)).
    func receive(beside other: Int32, for milliseconds: Int) throws(Lost) -> Arrival {
        var waits = [
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: other, events: Int16(POLLIN), revents: 0),
        ]
        let count = poll(&waits, 2, Int32(clamping: milliseconds))
        if count < 0, errno != EINTR { throw Lost() }
        if waits[1].revents != 0 { return .other }
        guard waits[0].revents != 0 else { return count == 0 ? .nothing : .bytes([]) }
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        let received = recv(descriptor, &buffer, buffer.count, 0)
        if received < 0, errno == EINTR { return .bytes([]) }
        guard received > 0 else { throw Lost() }
        return .bytes(buffer[..<received])
    }
}
