import Glibc
import LinuxSystem

/// A socket without a path that listens (unix(7), "Abstract sockets"): whoever shares the host's net namespace can
/// connect to it, as to a port, and no sandbox may.
public struct AbstractListener: Sendable {
    public let name: String
    private let socket: FileDescriptor

    /// - Parameter prefix: what the name begins with; a random number makes it one of its own.
    public init(_ prefix: String) throws(SystemError) {
        let name = "\(prefix)-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        self.name = name
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        let socket = FileDescriptor(owning: try systemCall("socket") { Glibc.socket(AF_UNIX, kind, 0) })
        var address = sockaddr_un()
        let size = address.setAbstract(name)
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket.raw, $0, size) == 0 ? 0 : errno }
        }
        guard code == 0 else { throw SystemError("bind @\(name)", code: code) }
        try systemCall("listen @\(name)") { listen(socket.raw, 64) }
        self.socket = socket
    }
}

extension sockaddr_un {
    /// Returns how much of it counts.
    mutating func setAbstract(_ name: String) -> socklen_t {
        sun_family = sa_family_t(AF_UNIX)
        let bytes = ([0] + Array(name.utf8)).prefix(MemoryLayout.size(ofValue: sun_path))
        withUnsafeMutableBytes(of: &sun_path) { $0.copyBytes(from: bytes) }
        return socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
    }
}
