import Glibc
import LinuxSystem
import SandpoolProbes

/// What a sandbox is to try to reach on this host. A worker listens on no port, so it is an abstract Unix socket
/// (unix(7)), which is as reachable as a port for whoever shares the host's net namespace.
struct HostBait {
    private let listener: FileDescriptor
    private let name: String

    init() throws(SystemError) {
        let name = "sandpool-verify-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        self.name = name
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        listener = FileDescriptor(owning: try systemCall("socket") { socket(AF_UNIX, kind, 0) })
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = [0] + Array(name.utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let size = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(listener.raw, $0, size) == 0 ? 0 : errno }
        }
        guard code == 0 else { throw SystemError("bind @\(name)", code: code) }
        try systemCall("listen @\(name)") { listen(listener.raw, 64) }
    }

    /// - Parameter coordinator: its URL; an IPv4 address in it is one that no sandbox may reach.
    func surroundings(coordinator: String) -> Surroundings {
        var around = Surroundings()
        around.hostSocket = name
        around.setUIDProgram = UserIDProgram.bytes == nil ? nil : ProbeArchive.setUIDProgram
        let authority = coordinator.split(separator: "/").dropFirst().first.map(String.init) ?? ""
        if let endpoint = Surroundings.Endpoint(authority) { around.endpoints = [endpoint] }
        return around
    }
}
