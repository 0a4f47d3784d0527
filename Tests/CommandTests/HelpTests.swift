import ArgumentParser
import Testing

@testable import SandpoolCommands

/// Every verb explains itself with an example.
@Suite struct HelpTests {
    /// The command tree, each with the words that reach it.
    static let commands: [[String]] = paths(of: RootCommand.self, [])

    private static func paths(of command: any ParsableCommand.Type, _ path: [String]) -> [[String]] {
        let configuration = command.configuration
        let children = configuration.subcommands + configuration.groupedSubcommands.flatMap(\.subcommands)
        return [path] + children.flatMap { paths(of: $0, path + [$0._commandName]) }
    }

    @Test func everyVerbOfThisVersionIsThere() {
        #expect(
            Set(Self.commands.map { $0.joined(separator: " ") })
                == [
                    "", "run", "submit", "ls", "show", "why", "logs", "wait", "cancel",
                    "coordinator", "coordinator start",
                    "worker", "worker start", "worker ls", "worker show", "worker drain", "worker resume",
                    "worker forget",
                    "token", "token create", "token ls", "token revoke", "doctor", "completions",
                ])
    }

    @Test(arguments: commands)
    func helpHasAnExampleAndEndsWithZero(_ path: [String]) throws {
        let result = try Program.run(path + ["--help"])
        #expect(result.status == 0)
        #expect(result.stderr.isEmpty)
        #expect(result.stdout.contains("Example: "), "\(path)")
        #expect(result.stdout.contains("OVERVIEW: "))
    }

    @Test(arguments: ["ps", "inspect"])
    func aliasesReachTheirVerb(_ alias: String) throws {
        #expect(try Program.run([alias, "--help"]).status == 0)
    }

    @Test(arguments: ["bash", "zsh", "fish"])
    func completionsKnowTheVerbs(_ shell: String) throws {
        let result = try Program.run(["completions", shell])
        #expect(result.status == 0)
        #expect(result.stdout.contains("block-network"))
    }

    @Test func versionIsOneLine() throws {
        let result = try Program.run(["--version"])
        #expect(result.status == 0)
        #expect(result.stdout.hasPrefix("sandpool "))
        #expect(result.stdout.split(separator: "\n").count == 1)
    }
}
