import ArgumentParser
import Sandpool
import SandpoolModel

/// `sandpool why`: what a job waits for, or what ended it.
struct Why: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say what a job waits for, or what ended it.",
        discussion: "Example: sandpool why nightly")

    @OptionGroup var connection: ConnectionOptions
    @Flag(help: "Print the explanation as JSON.")
    var json = false
    @Argument(help: "A job: its id, a name, the end of an id, or @last.")
    var id: String

    func run() async throws {
        try await connection.withPool(for: .reading) { pool in
            let explanation = try await pool.why(id)
            if json { return try StandardOutput.line(JSONText.pretty(explanation)) }
            try StandardOutput.line("\(explanation.id.short) is \(explanation.state.rawValue)")
            for reason in explanation.reasons { try StandardOutput.line("  \(TerminalText.harmless(reason))") }
        }
    }
}
