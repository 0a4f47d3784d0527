import ArgumentParser
import Sandpool
import SandpoolModel

/// `sandpool worker drain`.
struct DrainWorker: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain",
        abstract: "Let a worker finish what it runs and take nothing new.",
        discussion: "Example: sandpool worker drain build-3")

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "A worker: its id, its name, or the end of an id.")
    var id: String

    func run() async throws {
        try await connection.withPool(for: .reading) { pool in
            let worker = try await pool.worker(id, .drain)
            try StandardOutput.line("\(TerminalText.harmless(worker.name)) is \(worker.state)")
        }
    }
}
