import ArgumentParser
import Sandpool
import SandpoolModel

/// `sandpool show`: everything about one job.
struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show a job: its state, its attempts and what was measured.",
        discussion: "Example: sandpool show @last --json",
        aliases: ["inspect"])

    @OptionGroup var connection: ConnectionOptions
    @Flag(help: "Print the job as JSON.")
    var json = false
    @Argument(help: "A job: its id, a name, the end of an id, or @last.")
    var id: String

    func run() async throws {
        try await connection.withPool(for: .reading) { pool in
            let job = try await pool.job(id)
            try StandardOutput.line(json ? try JSONText.pretty(job) : JobDescription.text(job))
        }
    }
}
