import ArgumentParser
import LinuxSystem
import Sandpool
import SandpoolCoordinator
import SandpoolModel
import SandpoolWorker

/// The `sandpool` program: reads the command line, runs the verb, ends with its code.
public enum CommandLineTool {
    /// What is left of a command line after its first moments.
    public struct Rest: Sendable {
        /// Of a plain run whose job goes on; without one everything is left.
        var follower: JobFollower?
    }

    /// Does what can be done before the process has a second thread, and ends the process where that was all
    /// (Docs/decisions/0005).
    public static func begin() -> Rest {
        StandardDescriptors.fill()
        let arguments = Array(CommandLine.arguments.dropFirst())
        do {
            switch try PlainRun(arguments)?.run() {
            case nil: return Rest()
            case .unfinished(let follower): return Rest(follower: follower)
            case .ended(let status): status.end()
            }
        } catch {
            report(error, arguments: arguments).end()
        }
    }

    /// Runs what the process was started with and ends the process.
    public static func main(_ rest: Rest) async -> Never {
        await run(rest, Array(CommandLine.arguments.dropFirst())).end()
    }

    private static func run(_ rest: Rest, _ arguments: [String]) async -> ExitStatus {
        do {
            if let follower = rest.follower {
                return JobEnd(try await follower.follow(), isVerbose: false).report()
            }
            var command = try RootCommand.parseAsRoot(JoinedValues.split(arguments))
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
        case is SandpoolError, is CoordinatorError, is WorkerError, is SystemError:
            StandardError.line("sandpool: \(TerminalText.harmless("\(error)"))")
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
        let message = RootCommand.unknownVerb(in: arguments) ?? oneLine(RootCommand.message(for: error))
        StandardError.line("\(verb): \(TerminalText.harmless(message)); see `\(verb) --help`")
        return .sandpoolFailure
    }

    /// The parser lists choices on lines of their own.
    private static func oneLine(_ message: String) -> String {
        let lines = message.split(separator: "\n").map { line in line.drop { $0 == " " || $0 == "-" } }
        let choices = lines.dropFirst().joined(separator: ", ")
        let line = (lines.first.map(String.init) ?? "") + (choices.isEmpty ? "" : " \(choices)")
        return line.hasSuffix(".") ? String(line.dropLast()) : line
    }
}
