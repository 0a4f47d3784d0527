import Glibc
import LinuxSystem

/// Makes net namespaces that the launcher's own user namespace owns: the launcher steps into a new one for a
/// moment and back. Measured: 0.7 ms with loopback up, most of it in unshare(2).
struct NamespaceFactory {
    /// What was opened while inside; sockets stay bound to the namespace they were made in.
    struct Namespace {
        var descriptor: FileDescriptor
        var route: NetlinkSocket
    }

    private let home: FileDescriptor
    private let lastGroup: UInt32

    /// - Parameter lastGroup: the highest group id that can be named here.
    init(lastGroup: UInt32 = UInt32(Int32.max)) throws(SystemError) {
        self.lastGroup = lastGroup
        home = try FileDescriptor.open("/proc/self/ns/net", O_RDONLY)
    }

    /// A namespace with only loopback, which is up.
    func make() throws -> Namespace {
        try make { _ in () }.0
    }

    /// The same, with `body` run inside.
    func make<Extra>(_ body: (Namespace) throws -> Extra) throws -> (Namespace, Extra) {
        try Namespaces.network.unshare()
        defer { returnHome() }
        let namespace = Namespace(
            descriptor: try FileDescriptor.open("/proc/self/ns/net", O_RDONLY), route: try NetlinkSocket(.route))
        try namespace.route.execute([RouteRequest.setUp(link: 1)], stage: "bring up loopback")
        try relaxPorts()
        return (namespace, try body(namespace))
    }

    /// Root in the sandbox has no capability over its net namespace, so ports below 1024 and ping must be
    /// free to all. Where `/proc/sys` is read-only, as in many containers, they stay as they are.
    private func relaxPorts() throws(SystemError) {
        for (name, value) in [("ip_unprivileged_port_start", "0"), ("ping_group_range", "0 \(lastGroup)")] {
            do throws(SystemError) {
                // The files show the namespace of the thread that opens them.
                let file = try FileDescriptor.open("/proc/sys/net/ipv4/\(name)", O_WRONLY)
                try file.writeAll(Array(value.utf8))
            } catch  where [ENOENT, EROFS, EACCES, EPERM].contains(error.code) {
                continue
            }
        }
    }

    /// A launcher that cannot come back would do everything after this inside a sandbox's namespace; it ends
    /// instead, and its sandboxes with it.
    private func returnHome() {
        do throws(SystemError) { try Namespaces.network.enter(home) } catch {
            Diagnostics.write("cannot return to the launcher's own net namespace: \(error)")
            abort()
        }
    }
}
