import ArgumentParser
import Sandpool

/// The `sandpool` program: reads the command line, runs the verb, ends with its code.
public enum CommandLineTool {
    /// Runs what the process was started with and ends the process.
    public static func main() async -> Never {
        let status = await run(Array(CommandLine.arguments.dropFirst()))
        status.end()
    }

    /// Runs one command line, without the program's name.
    public static func run(_ arguments: [String]) async -> ExitStatus {
        do {
            var command = try RootCommand.parseAsRoot(arguments)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            return .success
        } catch {
            return report(error, arguments: arguments)
        }
    }

    /// Turns whatever ended a command into a line and a code.
    private static func report(_ error: any Error, arguments: [String]) -> ExitStatus {
        switch error {
        case let status as ExitStatus:
            return status
        case is ClosedOutput:
            return .closedOutput
        case let error as SandpoolError:
            StandardError.line("sandpool: \(error)")
            return .sandpoolFailure
        default:
            return reportUsage(error, arguments: arguments)
        }
    }

    /// Help and version are answers and go to stdout; every other word of the parser is a wrong use: one line.
    private static func reportUsage(_ error: any Error, arguments: [String]) -> ExitStatus {
        if RootCommand.exitCode(for: error) == .success {
            do {
                try StandardOutput.line(RootCommand.fullMessage(for: error))
            } catch {
                return .closedOutput
            }
            return .success
        }
        let verb = RootCommand.verb(in: arguments)
        let message = RootCommand.message(for: error).split(separator: "\n").joined(separator: " ")
        StandardError.line("\(verb): \(message); see `\(verb) --help`")
        return .sandpoolFailure
    }
}
