import FoundationEssentials
import Testing

/// What operators do with a coordinator that runs: look, copy, remove, each by its exit code and its line.
@Suite(.timeLimit(.minutes(2)))
struct CareTests {
    @Test func aRunningCoordinatorIsCheckedCopiedAndPruned() async throws {
        try await PoolProcesses.with { pool in
            let submitted = try Program.run(["submit", "--", "true"], environment: pool.environment)
            #expect(submitted.status == 0)
            let id = submitted.stdout.prefix { !$0.isNewline }
            let clean = try Program.run(["coordinator", "check", "--data-dir", pool.data])
            #expect(clean.status == 0 && clean.stdout.isEmpty && clean.lines.count == 1, "\(clean)")

            let target = pool.directory.path + "/backup"
            let backUp = ["coordinator", "backup", "--data-dir", pool.data, target]
            #expect(try Program.run(backUp).status == 0)
            #expect(try Program.run(["coordinator", "check", "--data-dir", target]).status == 0)
            let again = try Program.run(backUp)
            #expect(again.status == 125 && again.lines.count == 1, "\(again)")

            let stray = pool.data + "/output/zz"
            try FileManager.default.createDirectory(atPath: stray + "/stray", withIntermediateDirectories: true)
            let found = try Program.run(["coordinator", "check", "--data-dir", pool.data])
            #expect(found.status == 1 && found.stdout.hasPrefix(stray + "/stray: "), "\(found)")
            let json = try Program.run(["coordinator", "check", "--json", "--data-dir", pool.data])
            #expect(json.status == 1 && json.stdout.contains(#""kind":"orphan""#), "\(json)")

            let waiting = try Program.run(["prune", "--older-than", "0"], environment: pool.environment)
            #expect(waiting.status == 0 && waiting.stdout == "jobs removed: 0, room made: 0B\n", "\(waiting)")
            _ = try Program.run(["cancel", String(id)], environment: pool.environment)
            let pruned = try Program.run(["prune", "--older-than", "0"], environment: pool.environment)
            #expect(pruned.status == 0 && pruned.stdout == "jobs removed: 1, room made: 0B\n", "\(pruned)")
            #expect(try Program.run(["release", String(id)], environment: pool.environment).status == 125)
        }
    }

    @Test func whatIsNoDataDirectoryIsSaidInOneLine() throws {
        for verb in [["check"], ["backup", "/tmp/nowhere/there"]] {
            let result = try Program.run(["coordinator"] + verb + ["--data-dir", "/nonexistent"])
            #expect(result.status == 125 && result.stdout.isEmpty && result.lines.count == 1, "\(result)")
        }
    }
}
