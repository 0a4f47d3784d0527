/// Stands for the launcher in the tests of sandboxes' networks: one thread, one event loop, one
/// `SandboxNetwork`, told what to do by lines on standard input. The test runs it in a net namespace that
/// stands for the host.
///
/// Each line is answered by one that begins with `ok` or `error`.
import Glibc
import LinuxSystem
import SandpoolSandbox

func say(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    _ = write(STDOUT_FILENO, bytes, bytes.count)
}

/// Answers one line at a time; leases stay open under their names.
final class Commands {
    private let network: SandboxNetwork
    private let loop: EventLoop
    private var leases: [String: NetworkLease] = [:]
    private var unread: [UInt8] = []

    init(network: SandboxNetwork, loop: EventLoop) {
        self.network = network
        self.loop = loop
    }

    func read() {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = Glibc.read(STDIN_FILENO, &buffer, buffer.count)
        guard count > 0 else { return loop.stop() }
        unread += buffer[..<count]
        while let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
            let line = String(decoding: unread[..<end], as: UTF8.self)
            unread.removeSubrange(...end)
            answer(line.split(separator: " ", omittingEmptySubsequences: false).map(String.init))
        }
    }

    private func answer(_ words: [String]) {
        switch words[0] {
        // take NAME blocked | take NAME open CIDR,… DOMAIN,… CIDR,…
        case "take": take(words)
        // give NAME
        case "give":
            if let lease = leases.removeValue(forKey: words[1]) { network.giveBack(lease) }
            say("ok")
        // refill: how many calls made something, at most 1,000
        case "refill":
            var made = 0
            while made < 1_000, network.refill() { made += 1 }
            say("ok \(made)")
        case "shutdown":
            leases = [:]
            network.shutDown()
            say("ok")
        default: say("error unknown command")
        }
    }

    private func take(_ words: [String]) {
        func list(_ index: Int) -> [String] { words[index].split(separator: ",").map(String.init) }
        let policy: SandboxPlan.Network =
            words[2] == "blocked"
            ? .blocked : .open(allowCIDRs: list(3), allowDomains: list(4), openedCIDRs: list(5))
        do {
            let lease = try network.take(policy, sandbox: words[1])
            leases[words[1]] = lease
            let resolver = String(decoding: lease.resolvConf, as: UTF8.self).split(separator: "\n").joined()
            say("ok \(lease.namespace.raw) \(lease.hostsAddress) \(resolver)")
        } catch {
            say("error \(error.code) \(error.isUnenforceable) \(error.message)")
        }
    }
}

let loop = try EventLoop()
var configuration = SandboxNetwork.Configuration()
configuration.resolverPath = CommandLine.arguments[1]
configuration.stateDirectory = try FileDescriptor.open(CommandLine.arguments[2], O_RDONLY | O_DIRECTORY)
configuration.blockedReady = 3
configuration.openReady = 2
let network = try SandboxNetwork(configuration: configuration, loop: loop)
let commands = Commands(network: network, loop: loop)
let input = FileDescriptor(owning: dup(STDIN_FILENO))
try loop.watch(input, .readable) { commands.read() }
try loop.run()
