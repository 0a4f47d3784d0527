import Glibc
import LinuxSystem

extension UserNetwork {
    /// Opens one network and closes it again; returns an exit code, and says on standard output what went wrong.
    static func trial() -> Int32 {
        do {
            guard geteuid() != 0 else { return 0 }
            let rights = try OwnNamespace.enter()
            switch rights.outside {
            case .host: return 0
            case .none(let reason): throw NetworkError(reason)
            case .side(let side):
                let loop = try EventLoop()
                let network = try UserNetwork(side, rights.ids, loop)
                defer { network.shutDown() }
                var outcome: Result<NetworkLease, NetworkError>?
                _ = try network.prepare(
                    .open(allowCIDRs: [], allowDomains: [], openedCIDRs: []), sandbox: "a trial"
                ) {
                    outcome = $0
                    loop.stop()
                }
                try loop.run()
                _ = try outcome?.get()
                return 0
            }
        } catch {
            let reason = (error as? NetworkError)?.message ?? "\(error)"
            let line = Array("\(reason)\n".utf8)
            _ = write(STDOUT_FILENO, line, line.count)
            return 1
        }
    }
}
