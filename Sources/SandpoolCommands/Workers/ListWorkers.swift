import ArgumentParser
import Sandpool
import SandpoolAPI
import SandpoolModel

/// `sandpool worker ls`.
struct ListWorkers: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls",
        abstract: "List the workers.",
        discussion: "Example: sandpool worker ls --json | jq -r 'select(.state == \"unreachable\").name'")

    @OptionGroup var connection: ConnectionOptions
    @Flag(help: "Print one JSON object a line.")
    var json = false

    func run() async throws {
        try await connection.withPool(for: .reading) { pool in
            let workers = try await pool.workers()
            if json {
                for worker in workers { try StandardOutput.line(JSONText.line(worker)) }
                return
            }
            var table = Table("ID", "NAME", "STATE", "RUNNING", "CPUS", "MEMORY", "LABELS")
            for worker in workers {
                table.add(
                    worker.id.short, worker.name, worker.state, String(worker.running),
                    WorkerText.cpus(worker), WorkerText.memory(worker), WorkerText.labels(worker))
            }
            try StandardOutput.line(table.text)
        }
    }
}

/// What a worker has, in words.
enum WorkerText {
    static func cpus(_ worker: WorkerInfo) -> String {
        "\(decimal(worker.used.cpuMillis))/\(decimal(worker.capacity.cpuMillis))"
    }

    static func memory(_ worker: WorkerInfo) -> String {
        "\(MeasuredSize.text(worker.used.memoryBytes))/\(MeasuredSize.text(worker.capacity.memoryBytes))"
    }

    static func disk(_ worker: WorkerInfo) -> String {
        "\(MeasuredSize.text(worker.used.diskBytes))/\(MeasuredSize.text(worker.capacity.diskBytes))"
    }

    static func labels(_ worker: WorkerInfo) -> String {
        worker.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
    }

    private static func decimal(_ millis: Int64) -> String {
        millis % 1_000 == 0 ? "\(millis / 1_000)" : "\(Double(millis) / 1_000)"
    }
}
