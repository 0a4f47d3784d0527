import Foundation
import LinuxSystem
import SandpoolSandbox
import SandpoolTestSupport
import Testing

/// The built launcher as a process of its own, in a data directory of its own.
final class LauncherProcess {
    let dataDirectory: String
    let pid: pid_t
    private(set) var hasEnded = false
    private let descriptor: FileDescriptor
    /// Nothing that a launcher does before its end takes as long.
    private static let limitMs: Int32 = 60_000

    /// The binary that the same build made, beside the test bundle.
    static func binary(_ name: String = "sandpool-launcher") throws -> String {
        for argument in CommandLine.arguments {
            guard let range = argument.range(of: "/", options: .backwards), argument.contains(".xctest") else {
                continue
            }
            var directory = String(argument[..<range.lowerBound])
            if let bundle = directory.range(of: "/[^/]*\\.xctest.*$", options: .regularExpression) {
                directory = String(directory[..<bundle.lowerBound])
            }
            let path = "\(directory)/\(name)"
            if FileManager.default.isExecutableFile(atPath: path) { return path }
        }
        throw TestFailure("\(name) is not beside the test bundle: build the package first")
    }

    static func temporaryDirectory() throws -> String {
        var template = Array("/tmp/sandpool-test-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw TestFailure("mkdtemp: \(errno)") }
        return String(cString: made)
    }

    /// `connection` becomes descriptor 3; `prefix` is a program that executes the launcher, such as nsenter; `program`
    /// is another copy of it, and `log` a file for what it says.
    init(
        dataDirectory: String, arguments: [String], connection: FileDescriptor? = nil, prefix: [String] = [],
        program: String? = nil, log: String? = nil
    ) throws {
        self.dataDirectory = dataDirectory
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let connection { posix_spawn_file_actions_adddup2(&actions, connection.raw, 3) }
        if let log { posix_spawn_file_actions_addopen(&actions, 2, log, O_WRONLY | O_CREAT | O_APPEND, 0o600) }
        let words = prefix + [try program ?? Self.binary(), "--data-dir", dataDirectory] + arguments
        var pointers: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { pointers.forEach { free($0) } }
        var spawned: pid_t = 0
        let code = posix_spawn(&spawned, words[0], &actions, nil, &pointers, environ)
        guard code == 0 else { throw TestFailure("posix_spawn: \(code)") }
        pid = spawned
        descriptor = try ChildProcess.open(spawned)
    }

    /// Whether it has ended, or does within so many milliseconds.
    func ends(within milliseconds: Int32) -> Bool {
        var state = pollfd(fd: descriptor.raw, events: Int16(POLLIN), revents: 0)
        return hasEnded || poll(&state, 1, milliseconds) == 1
    }

    /// Waits for its end; returns the status as waitpid(2) gives it. One that does not end is killed, which the
    /// status shows.
    @discardableResult
    func wait() -> Int32 {
        if !ends(within: Self.limitMs) { kill(pid, SIGKILL) }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        hasEnded = true
        return status
    }

    /// What its sandboxes' cgroups are below, as it wrote down.
    func cgroupDirectories() -> [String] { LauncherTraces.cgroups(of: dataDirectory) }

    /// Removes a data directory and, of a launcher that was killed, the cgroups that the next one would sweep.
    static func removeData(_ directory: String) {
        LauncherTraces.remove(directory)
        try? FileManager.default.removeItem(atPath: directory)
    }
}

struct TestFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// A launcher for one test, after which nothing of it may be left on the host.
///
/// `owner` is who has the data directory.
func withLauncher(
    prefix: [String] = [], arguments: [String] = [], owner: uid_t = 0, _ body: (LauncherClient) throws -> Void
) throws {
    let directory = try LauncherProcess.temporaryDirectory()
    defer { LauncherProcess.removeData(directory) }
    #expect(chown(directory, owner, owner) == 0)
    let (own, theirs) = try SeqPacketSocket.pair()
    let process = try LauncherProcess(
        dataDirectory: directory, arguments: ["--connected-fd", "3"] + arguments, connection: theirs.descriptor,
        prefix: prefix)
    try runAndEnd(process, own, body)
    #expect(hostMounts(below: directory).isEmpty)
    for path in process.cgroupDirectories() {
        #expect(!FileManager.default.fileExists(atPath: path), "\(path) is left")
    }
    let spool = try FileManager.default.contentsOfDirectory(atPath: directory + "/spool")
    #expect(spool.isEmpty)
}

private func runAndEnd(
    _ process: LauncherProcess, _ socket: SeqPacketSocket, _ body: (LauncherClient) throws -> Void
) throws {
    defer { if !process.hasEnded { kill(process.pid, SIGKILL); process.wait() } }
    let client = try LauncherClient(socket, process)
    try body(client)
    client.disconnect()
    let status = process.wait()
    #expect(status == 0, "the launcher ended with status \(status)")
}

func hostMounts(below directory: String) -> [String] {
    let text = (try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)) ?? ""
    return text.split(separator: "\n").map(String.init).filter { $0.contains(directory) }
}
