import LinuxSystem

/// Gives each sandbox a net namespace of its own. The initial user namespace owns it, so that not even root
/// inside the sandbox can change its interfaces or filters. Each is used once.
///
/// Called on the launcher's one thread; nothing here may wait for anything outside the kernel.
public protocol NetworkProvider: AnyObject {
    /// A ready namespace for one sandbox.
    func take(_ policy: SandboxPlan.Network, sandbox: String) throws(NetworkError) -> NetworkLease

    /// Begins to make a namespace that has to be waited for. Nil: there is nothing to wait for, and `take` makes it.
    ///
    /// - Parameter done: called once, after this returned, unless the wait was given up before.
    /// - Returns: gives the wait up.
    func prepare(
        _ policy: SandboxPlan.Network, sandbox: String,
        then done: @escaping (Result<NetworkLease, NetworkError>) -> Void
    ) throws(NetworkError) -> (() -> Void)?

    /// How often an open network has ended while it was wanted.
    func interruptions(of lease: NetworkLease) -> NetworkInterruptions

    /// The sandbox is gone, with every process that could use the namespace.
    func giveBack(_ lease: NetworkLease)

    /// Prepares at most one more namespace ahead of need; the launcher calls it when it has nothing else to
    /// do. False when nothing is missing.
    func refill() -> Bool

    /// At an orderly end, when no sandbox is left: takes away what was made on the host.
    func shutDown()
}

/// Of a provider whose namespaces are the kernel's alone.
extension NetworkProvider {
    public func prepare(
        _ policy: SandboxPlan.Network, sandbox: String,
        then done: @escaping (Result<NetworkLease, NetworkError>) -> Void
    ) throws(NetworkError) -> (() -> Void)? { nil }

    public func interruptions(of lease: NetworkLease) -> NetworkInterruptions { NetworkInterruptions() }
}

/// One sandbox's net namespace, and what its generated files say about the network.
public struct NetworkLease: Sendable {
    public var namespace: FileDescriptor
    /// The content of `/etc/resolv.conf`.
    public var resolvConf: [UInt8]
    /// The sandbox's own address for its line in `/etc/hosts`, such as `127.0.1.1`.
    public var hostsAddress: String
    /// Names the provider's own record of it.
    public var token: UInt64

    public init(namespace: FileDescriptor, resolvConf: [UInt8], hostsAddress: String, token: UInt64 = 0) {
        self.namespace = namespace
        self.resolvConf = resolvConf
        self.hostsAddress = hostsAddress
        self.token = token
    }
}

/// Why there is no namespace for a sandbox.
public struct NetworkError: Error, Equatable, Sendable {
    /// One line for people: what, where, what to do.
    public var message: String
    /// The system call's error, or 0.
    public var code: Int32
    /// Whether the policy itself cannot be met on this host, as opposed to a fault.
    public var isUnenforceable: Bool

    public init(_ message: String, code: Int32 = 0, isUnenforceable: Bool = false) {
        self.message = message
        self.code = code
        self.isUnenforceable = isUnenforceable
    }
}

/// Ends of one open network. From each until there was another, nothing left the namespace.
public struct NetworkInterruptions: Equatable, Sendable {
    public var count: UInt32 = 0
    /// Whether there is no other after the last.
    public var isLost = false

    public init() {}
}
