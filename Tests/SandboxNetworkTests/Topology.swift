import Foundation
import Glibc
import Testing

/// Three net namespaces of a test's own: one that stands for the host, one for the internet behind it, and
/// in the host's a process that stands for the launcher. The machine's own network is not touched.
///
///     internet 192.0.2.1, 203.0.113.*, private addresses ── 192.0.2.2 host ── sandboxes
final class Topology {
    static let python = "/usr/bin/python3"
    static let peers = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Peers")
    /// Addresses that a filter must keep from sandboxes; in each test the internet really has them.
    static let privateAddresses = [
        "10.1.2.3", "100.64.0.5", "100.100.100.200", "168.63.129.16", "169.254.169.254", "172.16.5.5",
        "192.168.7.7", "198.18.0.5",
    ]
    static let publicAddresses = ["203.0.113.1", "203.0.113.9", "203.0.113.53"]

    let host: PeerProcess
    let internet: PeerProcess
    let launcher: PeerProcess
    private var others: [PeerProcess] = []
    private let directory: URL

    /// - Parameters:
    ///   - prepare: commands that run in the host's namespace before the launcher starts.
    ///   - resolver: the content of the host's resolv.conf.
    init(prepare: [String] = [], resolver: String = "nameserver 203.0.113.53\n") throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "sandbox-network-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        try Data(resolver.utf8).write(to: directory.appending(path: "resolv.conf"))
        let holder = ["/usr/bin/unshare", "--net", "/bin/sh", "-c", "echo ready; exec cat"]
        host = try PeerProcess(holder)
        internet = try PeerProcess(holder)
        let inInternet = internet.enter
        try Self.run(
            host.enter + ["sh", "-ec"] + [
                ([
                    "ip link set lo up", "ip link add up0 type veth peer name in0 netns \(internet.id)",
                    "ip addr add 192.0.2.2/24 dev up0", "ip link set up0 up", "ip route add default via 192.0.2.1",
                ]
                    + prepare).joined(separator: "; ")
            ])
        let addresses = (Self.privateAddresses + Self.publicAddresses).map { "ip addr add \($0)/32 dev lo" }
        try Self.run(
            inInternet + ["sh", "-ec"] + [
                (["ip link set lo up", "ip addr add 192.0.2.1/24 dev in0", "ip link set in0 up"] + addresses)
                    .joined(separator: "; ")
            ])
        let path = ProcessInfo.processInfo.arguments[0]
        let program = URL(filePath: path).deletingLastPathComponent().appending(path: "SandboxNetworkTestHost")
        launcherCommand = host.enter + [program.path, directory.appending(path: "resolv.conf").path, directory.path]
        launcher = try PeerProcess(launcherCommand, waitsUntilReady: false)
        let peer = Self.peers.appending(path: "peer.py").path
        internetPeer = try PeerProcess(inInternet + [Self.python, peer, "internet"])
    }

    let launcherCommand: [String]

    /// Another launcher of the same host, with a data directory of its own.
    func otherLauncherCommand() throws -> [String] {
        let other = directory.appending(path: "other")
        try FileManager.default.createDirectory(at: other, withIntermediateDirectories: true)
        return launcherCommand.dropLast() + [other.path]
    }

    let internetPeer: PeerProcess

    deinit {
        for process in others + [launcher, internetPeer, internet, host] { process.end() }
        try? FileManager.default.removeItem(at: directory)
    }

    /// Has the launcher take a namespace; `policy` as `SandboxNetworkTestHost` reads it.
    func take(_ name: String, _ policy: String) throws -> SandboxHandle {
        let words = try launcher.ask("take \(name) \(policy)").split(separator: " ").map(String.init)
        try #require(words.first == "ok", "\(words.joined(separator: " "))")
        return SandboxHandle(
            enter: ["/usr/bin/nsenter", "--net=/proc/\(launcher.id)/fd/\(words[1])"], address: words[2],
            resolver: words.dropFirst(3).joined(separator: " "))
    }

    func takeOpen(_ name: String = "one", allow: String = "", domains: String = "", opened: String = "") throws
        -> SandboxHandle
    {
        try take(name, "open \(allow) \(domains) \(opened)")
    }

    /// Runs a server that ends with the test.
    func serve(in enter: [String]) throws {
        others.append(try PeerProcess(enter + [Self.python, Self.peers.appending(path: "peer.py").path, "host"]))
    }

    func inHost(_ words: String...) throws -> String { try Self.run(host.enter + words) }
    func inInternet(_ words: String...) throws -> String { try Self.run(internet.enter + words) }

    /// Standard output; a command that fails is an error.
    @discardableResult
    static func run(_ words: [String]) throws -> String {
        let (status, output, error) = try outcome(words)
        guard status == 0 else { throw CommandFailure(description: "\(words): \(status) \(error)") }
        return output
    }

    /// Asks again and again, each time with a process or several, so for tens of seconds.
    static func waitUntil(_ what: String, _ condition: () throws -> Bool) throws {
        for _ in 0..<200 {
            if try condition() { return }
        }
        Issue.record("it never came: \(what)")
    }

    static func outcome(_ words: [String]) throws -> (status: Int32, output: String, error: String) {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = words
        let output = Pipe()
        let error = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = error
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let errorText = String(decoding: error.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, text, errorText)
    }
}

struct CommandFailure: Error, CustomStringConvertible { let description: String }

/// A namespace that the launcher gave out.
struct SandboxHandle {
    let enter: [String]
    let address: String
    let resolver: String

    var gateway: String { resolver.split(separator: " ").last.map(String.init) ?? "" }

    func run(_ words: String...) throws -> String { try Topology.run(enter + words) }

    /// What `Peers/probe.py` says.
    func probe(_ words: String...) throws -> String {
        let command = [Topology.python, Topology.peers.appending(path: "probe.py").path] + words
        return try Topology.run(enter + command).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    func lookUp(_ name: String, type: Int = 1, how: String = "udp") throws -> String {
        try probe("dns", gateway, name, String(type), how)
    }
}
