import ArgumentParser
import Sandpool
import SandpoolModel

/// `sandpool worker forget`.
struct ForgetWorker: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forget",
        abstract: "Declare a worker gone for good: what it ran counts as lost.",
        discussion: "Example: sandpool worker forget build-3")

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "A worker: its id, its name, or the end of an id.")
    var id: String

    func run() async throws {
        try await connection.withPool(for: .reading) { pool in
            let worker = try await pool.worker(id, .forget)
            try StandardOutput.line("\(TerminalText.harmless(worker.name)) is \(worker.state)")
        }
    }
}
