import Foundation
import Testing

/// Calls `body` with the words before a command that run it on a host that is a net namespace, with another behind it
/// that stands for the internet, and checks afterwards that nothing of open networks is left there. The machine's own
/// network is not touched.
///
/// A server at port 80 listens on each of `addresses`, which the internet has, and on each of the host's.
///
/// - Parameter hasNames: whether 203.0.113.53, which is then one of the addresses, answers DNS.
func withHost(
    addresses: [String] = ["203.0.113.1", "10.1.2.3"], hasNames: Bool = false, _ body: ([String]) throws -> Void
) throws {
    let host = try NamespaceHolder()
    let internet = try NamespaceHolder()
    defer {
        host.end()
        internet.end()
    }
    try Command.run(
        host.enter + [
            "/bin/sh", "-ec",
            "ip link set lo up; ip link add up0 type veth peer name in0 netns \(internet.id);"
                + "ip addr add 192.0.2.2/24 dev up0; ip link set up0 up; ip route add default via 192.0.2.1",
        ])
    let added = addresses.map { "ip addr add \($0)/32 dev lo" }.joined(separator: ";")
    try Command.run(
        internet.enter + [
            "/bin/sh", "-ec",
            "ip link set lo up; ip addr add 192.0.2.1/24 dev in0; ip link set in0 up; \(added)",
        ])
    let servers = [
        try NamespaceHolder(host.enter + NamespaceHolder.server),
        try NamespaceHolder(internet.enter + (hasNames ? NamespaceHolder.namingServer : NamespaceHolder.server)),
    ]
    defer { for server in servers { server.end() } }
    try body(host.enter)
    let left = try Command.run(host.enter + ["/bin/sh", "-ec", "nft list ruleset; ip -o -4 addr show dev lo"])
    #expect(!left.contains("sandpool") && !left.contains("10.207."))
}

/// A process that keeps a net namespace, or something in one, alive until the test ends or dies.
final class NamespaceHolder {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()

    init(_ words: [String] = ["/usr/bin/unshare", "--net", "/bin/sh", "-c", "echo ready; exec cat"]) throws {
        process.executableURL = URL(filePath: words[0])
        process.arguments = Array(words.dropFirst())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        guard !output.fileHandleForReading.availableData.isEmpty else { throw TestFailure("\(words) did not start") }
    }

    var id: Int32 { process.processIdentifier }
    var enter: [String] { ["/usr/bin/nsenter", "--net=/proc/\(id)/ns/net"] }

    /// SIGKILL: a test's processes start with SIGTERM blocked.
    func end() {
        kill(id, SIGKILL)
        process.waitUntilExit()
    }

    /// Answers at port 80 of every address.
    static let server = [
        "/usr/bin/python3", "-c",
        "import socket, sys; s = socket.create_server(('', 80)); print('ready', flush=True); sys.stdin.read()",
    ]

    /// The same, and a DNS server that knows a few names.
    static let namingServer = [
        "/usr/bin/python3",
        URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "../../SandboxNetworkTests/Peers/peer.py"
        ).path, "internet",
    ]
}
