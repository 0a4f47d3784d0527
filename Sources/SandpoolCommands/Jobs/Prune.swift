import ArgumentParser
import Sandpool

/// `sandpool prune`.
struct Prune: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Remove finished jobs with their output, and uploads that only they used.",
        discussion: """
            The coordinator does so by itself, as `retention` of its configuration says. This is for a disk that is \
            full before that. A job that somebody reads stays.

            Example: sandpool prune --older-than 7d
            """)

    @OptionGroup var connection: ConnectionOptions
    @Option(
        help: .init("How long ago a job must have ended at least.", valueName: "time"),
        transform: OptionValue.duration)
    var olderThan: Double

    func run() async throws {
        try await connection.withPool(for: .reading) { pool in
            let (jobs, bytes) = try await pool.prune(olderThan: .bounded(seconds: olderThan))
            try StandardOutput.line("jobs removed: \(jobs), room made: \(MeasuredSize.text(bytes))")
        }
    }
}
