import ArgumentParser
import Sandpool

/// `sandpool cancel`: end jobs.
struct Cancel: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "End jobs: SIGTERM, their grace, then everything in their sandboxes is killed.",
        discussion: """
            A job that is finished already stays as it is.

            Example: sandpool cancel $(sandpool ls --json | jq -r .id)
            """)

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "Jobs: ids, names, ends of ids, or @last.")
    var ids: [String]

    func run() async throws {
        try await connection.withPool(for: .running) { pool in
            try await EachJob.act(on: ids) { try await pool.cancel($0) }
        }
    }
}
