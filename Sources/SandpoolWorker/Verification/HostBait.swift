import LinuxSystem
import SandpoolProbes

/// What a sandbox is to try to reach on this host. A worker listens on no port, so it is an abstract Unix socket
/// (unix(7)), which is as reachable as a port for whoever shares the host's net namespace.
struct HostBait {
    private let listener: AbstractListener

    init() throws(SystemError) { listener = try AbstractListener("sandpool-verify") }

    /// - Parameter coordinator: its URL; an IPv4 address in it is one that no sandbox may reach.
    func surroundings(coordinator: String) -> Surroundings {
        var around = Surroundings()
        around.hostSocket = listener.name
        around.setUIDProgram = UserIDProgram.bytes == nil ? nil : ProbeArchive.setUIDProgram
        let authority = coordinator.split(separator: "/").dropFirst().first.map(String.init) ?? ""
        if let endpoint = Surroundings.Endpoint(authority) { around.endpoints = [endpoint] }
        return around
    }
}
