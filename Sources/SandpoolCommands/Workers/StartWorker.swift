import ArgumentParser
import FoundationEssentials
import Logging
import Sandpool
import SandpoolModel
import SandpoolWorker

/// `sandpool worker start`.
struct StartWorker: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start",
        abstract: "Run this host's worker until SIGTERM or Ctrl-C. Its sandboxes outlive it.",
        discussion: """
            It dials out to the coordinator and listens on no port. Started as root, it starts the launcher of \
            its data directory where none runs, and then gives root up.

            Example: sandpool worker start --coordinator http://10.0.0.1:7420 --token-file worker.token
            """)

    @Option(help: .init("The coordinator (default $SANDPOOL_URL).", valueName: "url"))
    var coordinator: String?
    @Option(help: .init("Where this worker keeps its files.", valueName: "dir"))
    var dataDir = DataDirectories.standard("worker")
    @Option(help: .init("File with a token of the role worker (default $SANDPOOL_TOKEN_FILE).", valueName: "file"))
    var tokenFile: String?
    @Option(help: .init("A name for listings (default the host's).", valueName: "name"))
    var name: String?
    @Option(help: .init("Processors to give away (default all).", valueName: "n"), transform: OptionValue.positive)
    var cpus: Double?
    @Option(help: .init("Memory to give away (default most of it).", valueName: "size"), transform: OptionValue.size)
    var memory: Int64?
    @Option(
        help: .init("Disk for writable layers (default most of what is free).", valueName: "size"),
        transform: OptionValue.size)
    var disk: Int64?
    @Option(
        help: .init("A label that jobs can require; can be repeated.", valueName: "k=v"), transform: OptionValue.label)
    var label: [Label] = []
    @Option(help: .init("A private network that sandboxes may reach; can be repeated.", valueName: "cidr"))
    var egressAllow: [String] = []
    @Flag(help: "Do not run jobs on this host's own /usr.")
    var noHostImage = false
    @Option(help: .init("A launcher that runs already, as under systemd.", valueName: "path"))
    var launcherSocket: String?
    @Option(help: .init("User to become after the start as root.", valueName: "user"))
    var user: String?

    func run() async throws {
        var environment = ProcessInfo.processInfo.environment
        if let tokenFile {
            environment["SANDPOOL_TOKEN"] = nil
            environment["SANDPOOL_TOKEN_FILE"] = tokenFile
        }
        let url = coordinator ?? environment["SANDPOOL_URL"] ?? "http://127.0.0.1:\(Endpoint.defaultPort)"
        var configuration = WorkerConfiguration(
            coordinator: try CoordinatorAddress(url), dataDirectory: dataDir,
            launcher: launcherSocket.map { .socket(path: $0) } ?? .spawned(user: user))
        configuration.token = try Pool.token { environment[$0] }
        configuration.name = name
        configuration.cpus = cpus
        configuration.memoryBytes = memory
        configuration.diskBytes = disk
        configuration.labels = OptionValue.dictionary(label)
        configuration.egressAllow = try egressAllow.map { try CIDRBlock($0).description }
        configuration.offersHostImage = !noHostImage
        let logger = Logger(label: "sandpool.worker")
        try await ServiceRunner.run(Worker(configuration: configuration, logger: logger), logger: logger)
    }
}
