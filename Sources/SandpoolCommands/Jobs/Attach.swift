import ArgumentParser
import Sandpool
import SandpoolModel

/// `sandpool attach`: follows a job that exists as `run` follows the one that it submitted.
struct Attach: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Follow a job as run does: output, signals, and its exit code as this command's.",
        discussion: """
            What the job wrote before comes first, all of it or the last lines. Ctrl-C sends SIGINT to the \
            command, a second one cancels the job, a third one leaves. To watch without that, use logs -f.

            Example: sandpool attach --tail 20 nightly
            """)

    @OptionGroup var connection: ConnectionOptions
    @Option(
        help: .init("Of what was written before, only the last lines.", valueName: "n"),
        transform: OptionValue.count)
    var tail: Int?
    @Flag(name: .shortAndLong, help: "Tell the id, and how the job ended, also where stderr is no terminal.")
    var verbose = false
    @Argument(help: "A job: its id, a name, the end of an id, or @last.")
    var id: String

    func run() async throws {
        try await connection.withPool(for: .running) { pool in
            let job = try await pool.job(id).id
            let follower = JobFollower(
                stream: JobStream(
                    pool, following: job, stdout: try await start(of: .stdout, of: job, in: pool),
                    stderr: try await start(of: .stderr, of: job, in: pool)),
                passesInput: false, isVerbose: verbose, tellsWaits: !connection.local)
            let status = JobEnd(try await follower.follow(), isVerbose: verbose).report()
            if status != .success { throw status }
        }
    }

    private func start(of stream: OutputStream, of job: JobID, in pool: Pool) async throws -> Int64 {
        guard let tail else { return 0 }
        return try await pool.offset(ofLastLines: tail, of: job.text, stream)
    }
}
