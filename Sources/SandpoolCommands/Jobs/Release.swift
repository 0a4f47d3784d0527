import ArgumentParser
import Sandpool

/// `sandpool release`.
struct Release: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Have jobs run after all that are held since their pool was restored from a backup.",
        discussion: """
            They waited when the backup was made, may have run since, and a second run may do harm. Other jobs stay as \
            they are.

            Example: sandpool release 3kq9x2ma
            """)

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "Jobs: ids, names, ends of ids, or @last.")
    var ids: [String]

    func run() async throws {
        try await connection.withPool(for: .running) { pool in
            try await EachJob.act(on: ids) { try await pool.release($0) }
        }
    }
}
