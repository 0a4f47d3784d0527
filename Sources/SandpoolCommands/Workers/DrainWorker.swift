import ArgumentParser
import Sandpool
import SandpoolModel

/// `sandpool worker drain`.
struct DrainWorker: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain",
        abstract: "Let a worker finish what it runs and take nothing new.",
        discussion: "Example: sandpool worker drain build-3 --reason 'new kernel' --deadline 10m")

    @OptionGroup var connection: ConnectionOptions
    @Option(help: .init("Why, for those who wait.", valueName: "text"))
    var reason: String?
    @Option(
        help: .init("End what still runs after this long, and run it elsewhere where that is safe.", valueName: "time"),
        transform: OptionValue.duration)
    var deadline: Double?
    @Argument(help: "A worker: its id, its name, or the end of an id.")
    var id: String

    func run() async throws {
        try await connection.withPool(for: .reading) { pool in
            let worker = try await pool.drainWorker(
                id, reason: reason, deadline: deadline.map(Duration.bounded(seconds:)))
            try StandardOutput.line("\(TerminalText.harmless(worker.name)) is \(worker.state)")
        }
    }
}
