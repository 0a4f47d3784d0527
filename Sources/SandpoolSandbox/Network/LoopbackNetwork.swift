import LinuxSystem

/// The network of a launcher that can open none: blocked sandboxes only.
final class LoopbackNetwork: NetworkProvider {
    private let reason: String
    private var blocked: BlockedNamespaces

    /// - Parameter reason: why no network can be opened, one line with what to do.
    init(reason: String, _ ids: IdSpace) throws(NetworkError) {
        self.reason = reason
        do throws(SystemError) {
            blocked = BlockedNamespaces(
                try NamespaceFactory(lastGroup: ids.count - 1), ready: SandboxNetwork.Configuration().blockedReady)
        } catch {
            throw NetworkError(describing: error, while: "open this process's net namespace")
        }
    }

    func take(_ policy: SandboxPlan.Network, sandbox: String) throws(NetworkError) -> NetworkLease {
        guard policy == .blocked else { throw NetworkError(reason, isUnenforceable: true) }
        return try blocked.take()
    }

    func giveBack(_ lease: NetworkLease) {}

    func refill() -> Bool { blocked.isShort && blocked.refill() }

    func shutDown() { blocked.shutDown() }
}
