import ArgumentParser
import SandpoolModel

/// `sandpool` itself: nothing but its verbs.
struct RootCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sandpool",
        abstract: "Run untrusted commands in sandboxes, on this host or on a pool of hosts.",
        discussion: """
            Without a coordinator, add --local to any verb: the pool then lives inside the command.

            Environment:
              SANDPOOL_URL         the coordinator (default http://127.0.0.1:7420; unix:/PATH for a socket)
              SANDPOOL_TOKEN       the token, or SANDPOOL_TOKEN_FILE, a file that holds it
              SANDPOOL_DATA_DIR    where --local and the services keep their files

            Example: sandpool run --local --block-network -- python3 -c 'print(6 * 7)'
            """,
        version: "sandpool \(Version.current)",
        groupedSubcommands: [
            CommandGroup(
                name: "Job",
                subcommands: [
                    Run.self, Submit.self, ListJobs.self, Show.self, Why.self, Logs.self, Attach.self, Exec.self,
                    Wait.self, Cancel.self, Release.self, Prune.self,
                ]),
            CommandGroup(name: "Pool", subcommands: [CoordinatorCommand.self, WorkerCommand.self, TokenCommand.self]),
            CommandGroup(name: "Host", subcommands: [Doctor.self, Completions.self]),
        ])

    /// The program and the verbs that a command line begins with, for a message about it.
    static func verb(in arguments: [String]) -> String {
        ([configuration.commandName ?? ""] + path(in: arguments).verbs).joined(separator: " ")
    }

    /// What is wrong with a command line whose next word is no verb where one is needed.
    static func unknownVerb(in arguments: [String]) -> String? {
        let (verbs, choices) = path(in: arguments)
        guard !choices.isEmpty, verbs.count < arguments.count, !arguments[verbs.count].hasPrefix("-") else {
            return nil
        }
        let word = arguments[verbs.count]
        let names = choices.flatMap { [$0._commandName] + $0.configuration.aliases }
        let hint =
            nearestWord(to: word, in: names).map { "did you mean \($0)?" } ?? "known: \(names.joined(separator: " "))"
        return "unknown command '\(word)', \(hint)"
    }

    /// The verbs that a command line begins with, and the verbs that could follow them.
    private static func path(in arguments: [String]) -> (verbs: [String], choices: [any ParsableCommand.Type]) {
        var verbs: [String] = []
        var choices = configuration.subcommands + configuration.groupedSubcommands.flatMap(\.subcommands)
        for argument in arguments {
            let command = choices.first {
                $0._commandName == argument || $0.configuration.aliases.contains(argument)
            }
            guard let command else { break }
            verbs.append(argument)
            choices = command.configuration.subcommands
        }
        return (verbs, choices)
    }
}
