import Glibc
import LinuxSystem
import SandpoolModel
import SandpoolTestSupport
import Testing

/// `sandpool logs --verify` and `sandpool coordinator check --output`.
@Suite(.enabled(if: geteuid() == 0, "sandboxes need root"), .timeLimit(.minutes(2))) struct VerifyLogsTests {
    private static let nine = "sha256:19cc02f26df43cc571bc9ed7b0c4d29224a3ec229529221725ef76d021c8326f"
    private static let nothing = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    /// The file with a stream of the only attempt that has one.
    private static func file(_ pool: PoolProcesses, ending: String) throws -> String {
        func find(in folder: String) throws -> [String] {
            try LauncherTraces.names(in: folder).flatMap { name -> [String] in
                let path = "\(folder)/\(name)"
                var status = stat()
                guard stat(path, &status) == 0 else { return [] }
                return status.st_mode & S_IFMT == S_IFDIR ? try find(in: path) : [path]
            }
        }
        return try #require(try find(in: "\(pool.data)/output").first { $0.hasSuffix(ending) })
    }

    @Test func theCodeSaysHowTheComparisonCameOut() async throws {
        try await PoolProcesses.with(worker: true) { pool in
            // 100,000 bytes do not ride in the result, so they are in a file.
            let script = "printf abcdefghi; head -c 100000 /dev/zero >&2"
            #expect(try pool.run(["run", "--block-network", "--name", "j", "--", "sh", "-c", script]).status == 0)
            let whole = try pool.run(["logs", "--verify", "j"])
            #expect(whole.status == 0 && whole.stderr.isEmpty)
            let lines = whole.stdout.split(separator: "\n")
            #expect(lines.first == "stdout  9 bytes  \(Self.nine)  ok")
            let last = try #require(lines.last)
            #expect(last.hasPrefix("stderr  100000 bytes  sha256:") && last.hasSuffix("  ok"))
            #expect(try pool.run(["coordinator", "check", "--output", "--data-dir", pool.data]).status == 0)

            let file = try FileDescriptor.open(try Self.file(pool, ending: ".stderr"), O_RDWR)
            try file.writeAll([1], at: 77_777)
            let flipped = try pool.run(["logs", "--verify", "--attempt", "1", "j"])
            #expect(flipped.status == 1)
            #expect(flipped.stdout.contains("stdout  9 bytes  \(Self.nine)  ok\n"))
            #expect(flipped.stdout.hasSuffix("differs: other bytes are kept than were written\n"))
            let json = try pool.run(["logs", "--verify", "--json", "j"])
            #expect(json.status == 1 && json.stdout.contains(#""verdict" : "differs""#))
            let check = try pool.run(["coordinator", "check", "--output", "--data-dir", pool.data])
            #expect(check.status == 1 && check.stdout.contains("its stderr is not what the command wrote"))
            #expect(try pool.run(["coordinator", "check", "--data-dir", pool.data]).status == 0, "as long as it was")

            #expect(try pool.run(["logs", "--verify", "--attempt", "2", "j"]).status == 125)
            #expect(try pool.run(["logs", "--verify", "nobody"]).status == 125)
        }
    }

    @Test func whatStillRunsAndWhatWroteNothing() async throws {
        try await PoolProcesses.with(worker: true) { pool in
            #expect(try pool.run(["run", "--block-network", "--name", "quiet", "--", "true"]).status == 0)
            let quiet = try pool.run(["logs", "--verify", "quiet"])
            #expect(quiet.status == 0)
            #expect(quiet.stdout == "stdout  0 bytes  \(Self.nothing)  ok\nstderr  0 bytes  \(Self.nothing)  ok\n")

            let script = "mkfifo /tmp/f; read line < /tmp/f"
            _ = try pool.run(["submit", "--block-network", "--name", "on", "--", "sh", "-c", script])
            try await eventually("it runs") { try pool.jobs().first?.state == .running }
            let running = try pool.run(["logs", "--verify", "on"])
            #expect(running.status == 125 && running.stdout.isEmpty)
            #expect(running.stderr.contains("has not ended"))
            #expect(try pool.run(["cancel", "on"]).status == 0)
        }
    }

    @Test(arguments: [["--verify", "-f"], ["--verify", "--tail", "3"], ["--attempt", "1"], ["--json"]])
    func whatDoesNotGoTogetherIsRefused(options: [String]) throws {
        let refused = try Program.run(["logs"] + options + ["j"])
        #expect(refused.status == 125 && refused.stdout.isEmpty && refused.stderr.contains("--verify"))
    }
}
