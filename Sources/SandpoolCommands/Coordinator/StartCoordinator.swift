import ArgumentParser
import Logging
import SandpoolCoordinator
import ServiceLifecycle

/// `sandpool coordinator start`.
struct StartCoordinator: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start",
        abstract: "Run the coordinator until SIGTERM or Ctrl-C. Running jobs outlive it.",
        discussion: """
            The first start writes an admin token to admin.token in the data directory.

            Example: sandpool coordinator start --listen 127.0.0.1:7420
            """)

    @Option(help: .init("Database, output, uploads and the admin token.", valueName: "dir"))
    var dataDir = DataDirectories.standard("coordinator")
    @Option(help: .init("Address to listen on (default 127.0.0.1:7420).", valueName: "host:port"))
    var listen: String?
    @Flag(name: .customLong("insecure-http"), help: "Listen beyond loopback without TLS.")
    var insecureHTTP = false
    @Option(help: .init("A JSON file with defaults and limits of jobs.", valueName: "file"))
    var config: String?

    func run() async throws {
        let logger = Logger(label: "sandpool.coordinator")
        var configuration = CoordinatorConfiguration(dataDirectory: dataDir, logger: logger)
        if let config { try ConfigurationFile.read(path: config).apply(to: &configuration) }
        if let listen { configuration.listen = try ListenAddress(hostPort: listen) }
        if insecureHTTP { configuration.insecureHTTP = true }
        let coordinator = Coordinator(configuration: configuration) { address in
            StandardError.line("sandpool: listening on http://\(address); admin token in \(dataDir)/admin.token")
        }
        try await ServiceRunner.run(coordinator, logger: logger)
    }
}
