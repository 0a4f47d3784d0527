import ArgumentParser
import Glibc
import Sandpool
import SandpoolModel

/// `sandpool logs`: what a job wrote.
struct Logs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print what a job wrote, stdout to stdout and stderr to stderr.",
        discussion: "Example: sandpool logs -f nightly")

    @OptionGroup var connection: ConnectionOptions
    @Flag(name: .shortAndLong, help: "Go on until the job is finished.")
    var follow = false
    @Option(help: .init("Only the last lines of each stream.", valueName: "n"), transform: OptionValue.count)
    var tail: Int?
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
        for try await bytes in pool.output(of: job.id.text, stream, from: start, follow: follow) {
            try await sink.write(bytes, to: descriptor)
        }
    }
}
