import ArgumentParser
import Sandpool
import SandpoolAPI
import SandpoolModel

/// `sandpool worker show`.
struct ShowWorker: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show a worker: what it has, what it uses, what it can start at once.",
        discussion: "Example: sandpool worker show build-3 --json")

    @OptionGroup var connection: ConnectionOptions
    @Flag(help: "Print the worker as JSON.")
    var json = false
    @Argument(help: "A worker: its id, its name, or the end of an id.")
    var id: String

    func run() async throws {
        try await connection.withPool(for: .reading) { pool in
            let worker = try await pool.worker(id)
            try StandardOutput.line(json ? try JSONText.pretty(worker) : description(of: worker))
        }
    }

    private func description(of worker: WorkerInfo) -> String {
        var lines = FieldLines()
        lines.add("id", worker.id.text)
        lines.add("name", worker.name)
        lines.add("state", worker.state)
        lines.add("drain", worker.drainReason)
        lines.add("deadline", worker.drainDeadline?.description)
        lines.add("quarantine", worker.quarantineReason)
        lines.add("until", worker.quarantinedUntil?.description)
        lines.add("running", String(worker.running))
        lines.add("cpus", WorkerText.cpus(worker))
        lines.add("memory", WorkerText.memory(worker))
        lines.add("disk", WorkerText.disk(worker))
        lines.add("disks", worker.makesDisks.map { $0 ? "of any size" : "smaller than the memory" })
        lines.add("labels", WorkerText.labels(worker))
        lines.add("images", worker.images.joined(separator: " "))
        lines.add("version", worker.softwareVersion)
        lines.add("verified", worker.verification.map { "\($0.at) on \($0.kernel): \($0.text)" })
        lines.add("connected", worker.connectedAt?.description)
        lines.add("seen", worker.lastSeenAt.description)
        return lines.text
    }
}
