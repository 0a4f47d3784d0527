import Logging
import ServiceLifecycle

/// Runs one service as the whole process: SIGTERM and SIGINT end it in order, a second one at once.
enum ServiceRunner {
    static func run(_ service: some Service, logger: Logger) async throws {
        let group = ServiceGroup(
            configuration: .init(
                services: [.init(service: service, successTerminationBehavior: .gracefullyShutdownGroup)],
                gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
        try await group.run()
    }
}
