import FoundationEssentials
import Glibc
import SandpoolTestSupport
import Testing

/// A command that wrote to its mounts wrote to nothing that stays. A person is told; a log file is not.
@Suite(.enabled(if: geteuid() == 0, "sandboxes need root"), .timeLimit(.minutes(2))) struct DiscardedChangesTests {
    private static let line =
        "sandpool: what was written below /repo is gone with the sandbox; keep files with --download /repo/PATH:PATH"

    @Test func areToldUnlessTheyAreFetched() async throws {
        try await PoolProcesses.with(worker: true) { pool in
            let tree = "\(pool.directory.path)/tree"
            try FileManager.default.createDirectory(atPath: tree, withIntermediateDirectories: true)
            try Data("1\n".utf8).write(to: URL(filePath: "\(tree)/x"))
            func words(_ options: [String], _ script: String) -> [String] {
                ["run", "--block-network", "--mount", "\(tree):/repo", "-w/repo"] + options + [
                    "--", "sh", "-c", script,
                ]
            }
            for (options, script, expected) in [
                (["-v"], "echo 2 > x; exit 3", true),
                (["-v"], "cat x; exit 3", false),
                (["-v", "--download", "/repo/x:\(pool.directory.path)/got"], "echo 2 > x; exit 3", false),
                (["-v", "--download", "/repo:\(pool.directory.path)/all"], "echo 2 > x; exit 3", false),
                (["-v", "--download", "/etc/hostname:\(pool.directory.path)/name"], "echo 2 > x; exit 3", true),
                ([], "echo 2 > x; exit 3", false),
            ] {
                let result = try pool.run(words(options, script))
                #expect(result.status == 3, "\(result.stderr)")
                #expect(result.stderr.contains(Self.line) == expected, "\(options) \(script): \(result.stderr)")
            }
            // Without a word said, it can still be asked.
            #expect(try pool.check(["show", "@last"]).contains("discarded: changes of /repo\n"))

            let terminal = try PseudoTerminal()
            let run = try pool.start(words([], "echo 2 > x; exit 3"), terminal: terminal)
            _ = try await run.end()
            #expect(terminal.output().contains(Self.line + "\r\n"))

            let file = try pool.run([
                "run", "--block-network", "-v", "--mount", "\(tree)/x:/f", "--mount", "\(tree):/repo", "--", "sh", "-c",
                "echo 2 > /f; echo 2 > /repo/x",
            ])
            #expect(
                file.stderr.contains(
                    "what was written to /f, below /repo is gone with the sandbox; keep files with --download /f:PATH\n"
                ), "\(file.stderr)")
        }
    }
}
