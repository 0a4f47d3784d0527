import ArgumentParser
import Glibc
import Sandpool
import SandpoolModel

/// `sandpool logs`: what a job wrote.
struct Logs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print what a job wrote, stdout to stdout and stderr to stderr.",
        discussion: """
            With --verify, instead of the output, whether what is kept of it is byte for byte what the command wrote: \
            ends with 0 where it is, with 1 where it is not, with 125 where that cannot be told.

            Example: sandpool logs -f --since 10m --timestamps nightly
            """)

    @OptionGroup var connection: ConnectionOptions
    @Flag(name: .shortAndLong, help: "Go on until the job is finished.")
    var follow = false
    @Option(help: .init("Only the last lines of each stream.", valueName: "n"), transform: OptionValue.count)
    var tail: Int?
    @Option(
        help: .init("Only what came since: so long ago, such as 10m, or a moment (RFC 3339).", valueName: "time"),
        transform: OptionValue.moment)
    var since: String?
    @Flag(help: "Put the moment when it came before each line.")
    var timestamps = false
    @Flag(help: "Compare the kept output with what the command wrote.")
    var verify = false
    @Option(
        help: .init("With --verify, which of the job's attempts; the last one by default.", valueName: "n"),
        transform: OptionValue.count)
    var attempt: Int?
    @Flag(help: "With --verify, print the comparison as JSON.")
    var json = false
    @Argument(help: "A job: its id, a name, the end of an id, or @last.")
    var id: String

    func validate() throws {
        if verify, follow || tail != nil || since != nil || timestamps {
            throw ValidationError(
                "all output is compared with --verify: leave out --follow, --tail, --since and --timestamps")
        }
        if !verify, attempt != nil || json { throw ValidationError("only --verify takes --attempt and --json") }
    }

    func run() async throws {
        if verify { return try await compare() }
        try await connection.withPool(for: follow ? .running : .reading) { pool in
            let job = try await pool.job(id)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for stream in OutputStream.allCases { group.addTask { try await copy(stream, of: job, in: pool) } }
                try await group.waitForAll()
            }
        }
    }

    private func copy(_ stream: OutputStream, of job: Job, in pool: Pool) async throws {
        let sink = OutputSink()
        let descriptor = stream == .stdout ? STDOUT_FILENO : STDERR_FILENO
        var start: Int64 = 0
        if let tail { start = try await pool.offset(ofLastLines: tail, of: job.id.text, stream) }
        let chunks = pool.output(
            of: job.id.text, stream, from: start, since: since, timestamps: timestamps, follow: follow)
        for try await bytes in chunks {
            try await sink.write(bytes, to: descriptor)
        }
    }
}
