import LinuxSystem

/// What a host takes for its own, of the net namespace in which this was made; its sockets stay there.
final class HostAddresses {
    private let route: NetlinkSocket
    private let changes: AddressChanges
    private var watch: RestedWatch?

    /// A routing daemon may change routes all the time, and what follows costs a dump and a transaction for each open
    /// sandbox.
    private static let restMs: UInt64 = 200

    init() throws(SystemError) {
        route = try NetlinkSocket(.route)
        changes = try AddressChanges()
    }

    /// The addresses of its interfaces, up or down, and what its local routes add to them. Both lists are short.
    func ranges() throws -> [ClosedRange<UInt32>] {
        let routes = try route.localRoutes().map {
            IPv4Network(address: $0.destination, prefixLength: $0.prefixLength).range
        }
        return try route.addresses().map { $0...$0 } + routes
    }

    /// Calls `changed` after they may be others than before, until `unfollow`: the first time at once, and then after a
    /// rest. Who has read them after this was called misses no change.
    func follow(in loop: EventLoop, _ changed: @escaping () -> Void) throws(SystemError) {
        watch = try RestedWatch(
            changes.descriptor, in: loop, restMs: Self.restMs, take: { [changes] in changes.take() }, follow: changed)
    }

    func unfollow() {
        watch?.end()
        watch = nil
    }
}
