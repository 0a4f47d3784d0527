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
                let network = try UserNetwork(side, rights.ids, EventLoop())
                defer { network.shutDown() }
                _ = try network.take(
                    .open(allowCIDRs: [], allowDomains: [], openedCIDRs: []), slot: 0, sandbox: "a trial")
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
