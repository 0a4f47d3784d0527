import ArgumentParser
import Glibc
import Sandpool
import SandpoolModel

/// `sandpool logs`: what a job wrote.
struct Logs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print what a job wrote, stdout to stdout and stderr to stderr.",
        discussion: "Example: sandpool logs -f --since 10m --timestamps nightly")

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
    @Argument(help: "A job: its id, a name, the end of an id, or @last.")
    var id: String

    func run() async throws {
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
