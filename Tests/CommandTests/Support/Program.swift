import FoundationEssentials
import Glibc
import LinuxSystem

/// `sandpool` as the process that a user starts.
struct Program {
    struct Result {
        var status: Int32
        var stdout: String
        var stderr: String

        var lines: [Substring] { stderr.split(separator: "\n") }
    }

    /// Beside the test bundle, where the same build puts it.
    static let path: String = {
        let bundle = CommandLine.arguments[0]
        let directory = bundle.lastIndex(of: "/").map { String(bundle[..<$0]) } ?? "."
        return "\(directory)/sandpool"
    }()

    /// Runs it to its end. Nothing of this process's environment is passed on but `PATH`.
    static func run(_ arguments: [String], environment: [String: String] = [:], stdin: String = "") throws -> Result {
        let folder = "/tmp/sandpool-test-\(UUID().uuidString)"
        mkdir(folder, 0o700)
        defer { for name in ["in", "out", "err", ""] { remove("\(folder)/\(name)") } }
        try Data(stdin.utf8).write(to: URL(filePath: "\(folder)/in"))
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "\(folder)/in", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, "\(folder)/out", O_WRONLY | O_CREAT, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, "\(folder)/err", O_WRONLY | O_CREAT, 0o600)
        let variables = environment.merging(["PATH": "/usr/bin:/bin"]) { $1 }
        var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        var entries: [UnsafeMutablePointer<CChar>?] = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for word in words + entries { free(word) } }
        var child: pid_t = 0
        try systemCall("posix_spawn \(path)") { () -> Int32 in
            let code = posix_spawn(&child, path, &actions, nil, &words, &entries)
            errno = code
            return code == 0 ? 0 : -1
        }
        var status: Int32 = 0
        try systemCall("waitpid") { waitpid(child, &status, 0) }
        let signal = status & 0x7F
        return Result(
            status: signal == 0 ? (status >> 8) & 0xFF : 128 + signal, stdout: text("\(folder)/out"),
            stderr: text("\(folder)/err"))
    }

    private static func text(_ path: String) -> String {
        String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    }
}
