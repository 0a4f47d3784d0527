import ArgumentParser
import Sandpool
import SandpoolModel

/// `sandpool run`: submit, stream, end with the job's code.
struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a command in a sandbox and end with its exit code.",
        usage: "sandpool run [<options>] -- <command> [<argument> ...]",
        discussion: """
            Output arrives as the command writes it, stdout and stderr apart. Ctrl-C sends SIGINT to the \
            command, a second one cancels the job, a third one leaves. The exit code is the command's own; \
            124 is a timeout, 125 a failure of Sandpool, 126 and 127 a command that cannot be run or is not \
            there, 137 a command that was killed.

            With --key a run can be taken up: the same command line, typed again after this process or its host \
            went down, goes on with the same job after the last byte that was shown.

            Example: sandpool run --block-network --mount .:/repo -w /repo -- pytest -q
            """)

    @OptionGroup var connection: ConnectionOptions
    @Flag(name: .customShort("i"), help: "Pass stdin on to the command.")
    var passesInput = false
    @Flag(name: .shortAndLong, help: "Tell the id, and how the job ended, also where stderr is no terminal.")
    var verbose = false
    @Option(help: .init("Write the job as JSON to a file when it ended.", valueName: "file"))
    var result: String?
    @OptionGroup var job: JobOptions

    func validate() throws { try Self.checkCommandStart(job.command) }

    func run() async throws {
        var spec = try job.spec(policy: .cancel, stdin: passesInput ? .stream : .none)
        try await connection.withPool(for: .running) { pool in
            try await job.files.apply(to: &spec, in: pool)
            let shown = spec.idempotencyKey.flatMap { ShownOutput.open(key: $0, of: pool.endpoint) }
            let follower = JobFollower(
                stream: JobStream(pool, submitting: spec, goingOnFrom: shown?.position), passesInput: passesInput,
                isVerbose: verbose, tellsWaits: !connection.local, shown: shown)
            let finished = try await follower.follow()
            if finished.spec.network.isBlocked, !spec.network.isBlocked { StandardError.line(Self.blockedNotice) }
            let status = await keep(finished, from: pool)
            if status != .success { throw status }
        }
    }

    /// Whoever relies on a network must not look for the fault in his command.
    private static let blockedNotice =
        "sandpool: it had no network; sandpool doctor says what this host lacks, --block-network that none is needed"

    /// Writes what the user wants to keep of the job. Its own failure says more than a failure to keep something.
    private func keep(_ finished: Job, from pool: Pool) async -> ExitStatus {
        let status = JobEnd(finished, isVerbose: verbose).report()
        do {
            if let result { try JobFile.write(finished, to: result) }
            try await job.files.fetch(from: finished, in: pool)
            return status
        } catch {
            StandardError.line("sandpool: \(error)")
            return status == .success ? .sandpoolFailure : status
        }
    }
}
