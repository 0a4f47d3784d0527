import LinuxSystem

/// Net namespaces with nothing but loopback, some of them ready ahead of need.
struct BlockedNamespaces {
    private let factory: NamespaceFactory
    private let ready: Int
    private var pool: [FileDescriptor] = []

    /// - Parameter ready: how many are kept; each costs the kernel about 100 KiB.
    init(_ factory: NamespaceFactory, ready: Int) {
        self.factory = factory
        self.ready = ready
    }

    mutating func take() throws(NetworkError) -> NetworkLease {
        do {
            return NetworkLease(
                namespace: try pool.popLast() ?? factory.make().descriptor,
                resolvConf: Array("# The network is blocked.\n".utf8), hostsAddress: "127.0.1.1")
        } catch {
            throw NetworkError(describing: error, while: "make a blocked net namespace")
        }
    }

    var isShort: Bool { pool.count < ready }

    /// Makes one. What fails here is tried again by `take`, which says why.
    mutating func refill() -> Bool {
        guard let namespace = try? factory.make() else { return false }
        pool.append(namespace.descriptor)
        return true
    }

    mutating func shutDown() { pool = [] }
}
