import Foundation
import LinuxSystem
import SandpoolSandbox
import SandpoolTestSupport
import Testing

/// A launcher that was started from a file which a test may replace, as the upgrade of a package does.
final class UpgradableService {
    let service: Service
    let folder: String
    private let program: String
    private let log: String
    private var upgrades = 0
    private var linesRead = 0

    init(_ folder: String, prefix: [String]) throws {
        self.folder = folder
        program = folder + "/sandpool-launcher"
        log = folder + "/log"
        try Self.copy(LauncherProcess.binary(), to: program)
        try FileManager.default.createDirectory(atPath: folder + "/data", withIntermediateDirectories: false)
        service = try Service(folder + "/data", prefix: prefix, program: program, log: log)
    }

    func connect() throws -> LauncherClient { try service.connect() }

    var pid: pid_t { service.process.pid }

    /// Another file in the place of the program, by a rename as dpkg does it.
    func replace(with source: String) throws {
        let half = program + ".half"
        try Self.copy(source, to: half)
        guard rename(half, program) == 0 else { throw TestFailure("rename: \(errno)") }
    }

    /// By another process: what this one writes could not be executed while another test starts a program, which has
    /// the open file for a moment.
    private static func copy(_ source: String, to target: String) throws {
        try Command.run(["/bin/cp", source, target])
    }

    func restore() throws { try replace(with: LauncherProcess.binary()) }

    func remove() throws { try FileManager.default.removeItem(atPath: program) }

    /// Has a new file of the program take over, and waits until it says that it has.
    func upgrade() throws {
        try restore()
        ask()
        try awaitUpgrade()
    }

    func ask() { kill(pid, SIGHUP) }

    func awaitUpgrade() throws {
        upgrades += 1
        let line = "upgrade \(upgrades): took over"
        try awaitLine { $0.contains(line) }
        linesRead = lines().count
    }

    /// Asks for an upgrade that is refused; what the launcher says of it.
    func refusal() throws -> String {
        ask()
        return try awaitRefusal()
    }

    func awaitRefusal() throws -> String {
        try awaitLine { _ in lines().count > linesRead }
        let said = Array(lines().dropFirst(linesRead))
        linesRead += said.count
        #expect(said.count == 1, "\(said)")
        return String(try #require(said.first))
    }

    private func lines() -> [Substring] {
        ((try? String(contentsOfFile: log, encoding: .utf8)) ?? "").split(separator: "\n")
    }

    private func awaitLine(_ isThere: (String) -> Bool) throws {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(60)
        while true {
            let text = lines().joined(separator: "\n")
            if isThere(text) { return }
            guard clock.now < end, !service.process.ends(within: 5) else { throw TestFailure("it said: \(text)") }
        }
    }

    /// Descriptors that it has open.
    func openDescriptors() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").count
    }

    /// Its children, zombies too.
    func children() throws -> [String] {
        try String(contentsOfFile: "/proc/\(pid)/task/\(pid)/children", encoding: .utf8)
            .split(separator: " ").map(String.init)
    }
}

/// For one test, after which nothing of the launcher may be left on the host.
func withUpgrades(prefix: [String] = [], _ body: (UpgradableService) throws -> Void) throws {
    let folder = try LauncherProcess.temporaryDirectory()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    defer { LauncherTraces.remove(folder + "/data") }
    let upgradable = try UpgradableService(folder, prefix: prefix)
    let pid = upgradable.pid
    try body(upgradable)
    #expect(upgradable.pid == pid)
    upgradable.service.stop()
    #expect(hostMounts(below: folder).isEmpty)
    for path in upgradable.service.process.cgroupDirectories() {
        #expect(!FileManager.default.fileExists(atPath: path), "\(path) is left")
    }
    let spool = try FileManager.default.contentsOfDirectory(atPath: folder + "/data/spool")
    #expect(spool.isEmpty)
    try LoopDevices.awaitNone(over: folder)
}
