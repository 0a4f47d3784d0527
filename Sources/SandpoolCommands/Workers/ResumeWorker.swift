import ArgumentParser
import Sandpool
import SandpoolModel

/// `sandpool worker resume`.
struct ResumeWorker: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Let a drained or quarantined worker take jobs again.",
        discussion: "Example: sandpool worker resume build-3")

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "A worker: its id, its name, or the end of an id.")
    var id: String

    func run() async throws {
        try await connection.withPool(for: .reading) { pool in
            let worker = try await pool.worker(id, .resume)
            try StandardOutput.line("\(TerminalText.harmless(worker.name)) is \(worker.state)")
        }
    }
}
