import ArgumentParser
import FoundationEssentials
import Testing

@testable import SandpoolCommands

/// Every verb explains itself with an example.
@Suite struct HelpTests {
    /// The command tree, each with the words that reach it.
    static let commands: [[String]] = paths(of: RootCommand.self, [])

    private static func paths(of command: any ParsableCommand.Type, _ path: [String]) -> [[String]] {
        [path] + command.configuration.subcommands.flatMap { paths(of: $0, path + [$0._commandName]) }
    }

    /// One file a verb; `SANDPOOL_WRITE_SNAPSHOTS=1 scripts/test CommandTests` writes them anew.
    private static let snapshots =
        "/" + #filePath.split(separator: "/").dropLast().joined(separator: "/") + "/Snapshots"

    private static func snapshot(of path: [String]) -> String {
        "\(snapshots)/\((["sandpool"] + path).joined(separator: "-")).txt"
    }

    @Test(arguments: commands)
    func helpIsAsItsSnapshotSays(_ path: [String]) throws {
        let result = try Program.run(
            path + ["--help"], environment: ["SANDPOOL_DATA_DIR": "/var/lib/sandpool", "COLUMNS": "100"])
        #expect(result.status == 0)
        #expect(result.stderr.isEmpty)
        #expect(result.stdout.contains("Example: "), "\(path)")
        let file = Self.snapshot(of: path)
        if ProcessInfo.processInfo.environment["SANDPOOL_WRITE_SNAPSHOTS"] == "1" {
            try Data(result.stdout.utf8).write(to: URL(filePath: file))
        }
        let expected = FileManager.default.contents(atPath: file).map { String(decoding: $0, as: UTF8.self) }
        #expect(result.stdout == expected, "see Tests/CommandTests/Snapshots")
    }

    @Test func everySnapshotIsOfAVerb() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: Self.snapshots)
        #expect(Set(files.map { "\(Self.snapshots)/\($0)" }) == Set(Self.commands.map(Self.snapshot)))
    }

    @Test(arguments: ["ps", "inspect"])
    func aliasesReachTheirVerb(_ alias: String) throws {
        #expect(try Program.run([alias, "--help"]).status == 0)
    }

    /// Each shell's script has a function for a verb, or a condition that names what stands before it.
    @Test(arguments: ["bash", "zsh", "fish"])
    func completionsKnowEveryVerb(_ shell: String) throws {
        let result = try Program.run(["completions", shell])
        #expect(result.status == 0)
        #expect(result.stdout.contains("block-network"))
        for path in Self.commands {
            guard let verb = path.last else { continue }
            let words = ["sandpool"] + path
            let trace =
                shell == "fish"
                ? "\"\(words.dropLast().joined(separator: " "))\" -eq 1' -fa '\(verb)'"
                : "_\(words.joined(separator: "_"))() {"
            #expect(result.stdout.contains(trace), "\(path)")
        }
    }

    @Test func versionIsOneLine() throws {
        let result = try Program.run(["--version"])
        #expect(result.status == 0)
        #expect(result.stdout.hasPrefix("sandpool "))
        #expect(result.stdout.split(separator: "\n").count == 1)
    }
}
