import ArgumentParser
import Sandpool

/// `sandpool run`: submit, stream, end with the job's code.
struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a command in a sandbox and end with its exit code.",
        discussion: """
            Output arrives as the command writes it, stdout and stderr apart. Ctrl-C sends SIGINT to the
            command, a second one cancels the job, a third one leaves. The exit code is the command's own;
            125 is a failure of Sandpool, 124 a timeout, 137 out of memory, output or patience.

            Example: sandpool run --block-network --mount .:/repo -w /repo -- pytest -q
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var job: JobOptions

    func run() async throws {
        var spec = try job.spec()
        spec.onDisconnect = job.disconnectPolicy(otherwise: .cancel)
        let pool = try connection.pool()
        let stream = JobStream(pool, submitting: spec)
        let follower = JobFollower(stream: stream, passesInput: spec.stdin == .stream, isVerbose: job.verbose)
        let finished = try await follower.follow()
        throw JobEnd(finished, isVerbose: job.verbose).report()
    }
}
