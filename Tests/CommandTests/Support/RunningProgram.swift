import FoundationEssentials
import Glibc
import LinuxSystem
import SandpoolTestSupport

/// A program that was started. What it writes is in files, so that nobody has to read it for it to go on; it is
/// killed, at the latest, with its last reference.
final class RunningProgram {
    private let folder = "/tmp/sandpool-test-\(UUID().uuidString)"
    private let words: [String]
    private let child: pid_t
    private var ended: Int32?

    /// Nothing of this process's environment is passed on but `PATH`.
    ///
    /// - Parameters:
    ///   - stdin: `nil` is `/dev/null`.
    ///   - terminal: takes stderr in place of a file.
    init(
        _ words: [String], environment: [String: String] = [:], stdin: FileDescriptor? = nil,
        terminal: PseudoTerminal? = nil
    ) throws {
        self.words = words
        mkdir(folder, 0o700)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let stdin {
            posix_spawn_file_actions_adddup2(&actions, stdin.raw, 0)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        posix_spawn_file_actions_addopen(&actions, 1, "\(folder)/out", O_WRONLY | O_CREAT, 0o600)
        posix_spawn_file_actions_addopen(
            &actions, 2, terminal?.path ?? "\(folder)/err", O_WRONLY | O_CREAT | O_NOCTTY, 0o600)
        // A thread of a test blocks nearly every signal, and a user's shell none.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        let variables = environment.merging(["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]) { own, _ in own }
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        var entries: [UnsafeMutablePointer<CChar>?] = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for word in arguments + entries { free(word) } }
        var child: pid_t = 0
        try systemCall("posix_spawn \(words[0])") { () -> Int32 in
            let code = posix_spawn(&child, words[0], &actions, &attributes, &arguments, &entries)
            errno = code
            return code == 0 ? 0 : -1
        }
        self.child = child
    }

    deinit {
        if isRunning {
            kill(child, SIGKILL)
            waitpid(child, nil, 0)
        }
        for name in ["out", "err", ""] { remove("\(folder)/\(name)") }
    }

    var stdout: String { text("out") }
    var stderr: String { text("err") }

    var stdoutBytes: Int {
        var status = stat()
        return stat("\(folder)/out", &status) == 0 ? Int(status.st_size) : 0
    }

    var isRunning: Bool {
        if ended != nil { return false }
        var status: Int32 = 0
        guard waitpid(child, &status, WNOHANG) == child else { return true }
        ended = status
        return false
    }

    func signal(_ number: Int32) { if isRunning { kill(child, number) } }

    /// Waits for its end, which has to come by itself.
    func end() async throws -> Program.Result {
        do {
            try await eventually("the program ends") { !isRunning }
        } catch {
            throw overdue("\(error)")
        }
        return result()
    }

    /// Most milliseconds that a program may take: the bound is for one that hangs.
    private static let limitMs: Int32 = 120_000

    /// The same, without giving the thread to others meanwhile.
    func waitForEnd() throws -> Program.Result {
        if isRunning {
            let descriptor = try ChildProcess.open(child)
            var entry = pollfd(fd: descriptor.raw, events: Int16(POLLIN), revents: 0)
            while poll(&entry, 1, Self.limitMs) < 0, errno == EINTR {}
            guard !isRunning else { throw overdue("\(words) does not end") }
        }
        return result()
    }

    private func overdue(_ what: String) -> NeverCame {
        NeverCame(
            description: """
                \(what); it wrote: \(stdout.suffix(1_000)) \(stderr.suffix(1_000)); threads:
                \(WaitingThreads.report())
                """)
    }

    private func result() -> Program.Result {
        let status = ended ?? 0
        let signal = status & 0x7F
        return Program.Result(
            status: signal == 0 ? (status >> 8) & 0xFF : 128 + signal, stdout: stdout, stderr: stderr)
    }

    private func text(_ name: String) -> String {
        String(decoding: FileManager.default.contents(atPath: "\(folder)/\(name)") ?? Data(), as: UTF8.self)
    }
}
