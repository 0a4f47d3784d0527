import ArgumentParser
import Sandpool
import SandpoolModel

/// `sandpool ls`: the jobs that are not finished, or all.
struct ListJobs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls",
        abstract: "List jobs: the unfinished ones, or with -a all, newest first.",
        discussion: "Example: sandpool ls -a --state failed --tag suite=nightly --json | head",
        aliases: ["ps"])

    @OptionGroup var connection: ConnectionOptions
    @Flag(name: .shortAndLong, help: "List finished jobs too.")
    var all = false
    @Option(help: .init("Only jobs in this state; can be repeated.", valueName: "state"))
    var state: [JobState] = []
    @Option(help: .init("Only jobs with this tag; can be repeated.", valueName: "k=v"), transform: OptionValue.label)
    var tag: [Label] = []
    @Option(help: .init("At most this many.", valueName: "n"), transform: OptionValue.count)
    var limit: Int?
    @Flag(help: "Print one JSON object a line.")
    var json = false

    func run() async throws {
        try await connection.withPool(for: .reading) { pool in
            let jobs = try await pool.jobs(
                states: state, tags: OptionValue.dictionary(tag), limit: limit, all: all)
            if json {
                for job in jobs { try StandardOutput.line(JSONText.line(job)) }
                return
            }
            var table = Table("ID", "NAME", "STATE", "CODE", "AGE", "COMMAND")
            let now = Age.now()
            for job in jobs {
                table.add(
                    job.id.short, job.name, job.state.rawValue, job.returnCode.map(String.init),
                    Age.text(since: job.createdAt, now: now), CommandText.line(job.command))
            }
            try StandardOutput.line(table.text)
        }
    }
}
