import ArgumentParser
import Sandpool
import SandpoolModel

/// `sandpool submit`: store a job and print its id.
struct Submit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Store a job and print its id.",
        usage: "sandpool submit [<options>] -- <command> [<argument> ...]",
        discussion: """
            The job runs whether or not anybody follows it.

            Example: id=$(sandpool submit --name nightly -- make test); sandpool wait $id
            """)

    @OptionGroup var connection: ConnectionOptions
    @Flag(help: "Print the whole job as JSON.")
    var json = false
    @OptionGroup var job: JobOptions

    func validate() throws {
        try Self.checkCommandStart(job.command)
        guard job.files.download.isEmpty else {
            throw ValidationError("--download fetches when the job ends, and submit does not wait; use run")
        }
    }

    func run() async throws {
        var spec = try job.spec(policy: .detach)
        try await connection.withPool(for: .running) { pool in
            try await job.files.apply(to: &spec, in: pool)
            let stored = try await pool.submit(spec)
            try StandardOutput.line(json ? try JSONText.line(stored) : stored.id.text)
        }
    }
}
