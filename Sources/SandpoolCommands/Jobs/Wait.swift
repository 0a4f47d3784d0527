import ArgumentParser
import Sandpool
import SandpoolModel

/// `sandpool wait`: until jobs are finished.
struct Wait: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Wait until jobs are finished; print ID CODE for each and end with the first code that is not 0.",
        discussion: """
            A job that Sandpool could not run has no code; 125 stands for it.

            Example: sandpool wait build test lint
            """)

    @OptionGroup var connection: ConnectionOptions
    @Flag(help: "Print one JSON object a line instead.")
    var json = false
    @Argument(help: "Jobs: ids, names, ends of ids, or @last.")
    var ids: [String]

    func run() async throws {
        try await connection.withPool(for: .running) { pool in
            var worst = ExitStatus.success
            // Names are looked up before the first wait: a typing error must not show an hour later.
            var jobs: [Job] = []
            for id in ids { jobs.append(try await pool.job(id)) }
            for job in jobs {
                let finished = job.state.isTerminal ? job : try await pool.wait(for: job.id.text)
                let code = finished.returnCode.map(Int32.init) ?? ExitStatus.sandpoolFailure.code
                try StandardOutput.line(json ? try JSONText.line(finished) : "\(finished.id) \(code)")
                if worst == .success { worst = ExitStatus(code: code) }
            }
            if worst != .success { throw worst }
        }
    }
}
