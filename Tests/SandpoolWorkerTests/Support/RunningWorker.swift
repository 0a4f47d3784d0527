import HTTPTypes
import SandpoolAPI

@testable import SandpoolWorker

/// A whole worker between a coordinator and a launcher that a test plays.
enum RunningWorker {
    /// Runs `body` while the worker runs, and ends the worker after it.
    ///
    /// - Throws: what the worker ended with, if it ended before.
    static func with(
        stdout: [UInt8] = [], refusal: (status: HTTPResponse.Status, error: APIError)? = nil,
        verification: VerificationPolicy = .never, findings: [UInt8] = [], losesFirstAttack: Bool = false,
        execPatienceMs: UInt64 = 60_000,
        _ body: @Sendable @escaping (TestCoordinator, FakeLauncher) async throws -> Void
    ) async throws {
        try await TemporaryDirectory.with { directory in
            let launcher = try FakeLauncher(
                path: "\(directory)/launcher.sock", stdout: stdout, findings: findings,
                losesFirstAttack: losesFirstAttack)
            defer { launcher.stop() }
            try await TestCoordinator.run(refusal: refusal) { coordinator in
                var configuration = WorkerConfiguration(
                    coordinator: try CoordinatorAddress("http://127.0.0.1:\(coordinator.port)"),
                    dataDirectory: "\(directory)/worker", launcher: .socket(path: launcher.path))
                configuration.token = "secret"
                configuration.verification = verification
                configuration.execPatienceMs = execPatienceMs
                let worker = Worker(configuration: configuration, logger: TestCoordinator.silent)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await worker.run() }
                    group.addTask { try await body(coordinator, launcher) }
                    try await group.next()
                    group.cancelAll()
                    try await group.waitForAll()
                }
            }
        }
    }
}
