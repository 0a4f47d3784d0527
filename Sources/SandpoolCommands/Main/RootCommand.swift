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

            Example: sandpool run --local --block-network -- python3 -c 'print(6 * 7)'
            """,
        version: "sandpool \(Version.current)",
        groupedSubcommands: [
            CommandGroup(
                name: "Jobs",
                subcommands: [Run.self]),
        ])

    /// The program and the verbs that a command line begins with, for a message about it.
    static func verb(in arguments: [String]) -> String {
        var words = [configuration.commandName ?? ""]
        var commands = configuration.subcommands + configuration.groupedSubcommands.flatMap(\.subcommands)
        for argument in arguments {
            guard let command = commands.first(where: { $0._commandName == argument || $0.configuration.aliases.contains(argument) })
            else { break }
            words.append(argument)
            commands = command.configuration.subcommands
        }
        return words.joined(separator: " ")
    }
}
