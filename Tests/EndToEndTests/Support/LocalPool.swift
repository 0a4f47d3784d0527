import Glibc
import Logging
import Sandpool
import SandpoolCoordinator
import SandpoolModel
import SandpoolTestSupport
import SandpoolWorker

/// A coordinator and a worker in this process, joined by a Unix socket, over a real launcher.
struct LocalPool: Sendable {
    let pool: Pool
    let directory: String
    private let restarts: AsyncStream<CheckedContinuation<Void, Never>>.Continuation

    /// Ends the worker as a service manager would, and starts it again.
    func restartWorker() async throws {
        await withCheckedContinuation { restarts.yield($0) }
    }

    /// Runs `body` with a pool that is gone afterwards, its launcher and sandboxes included.
    static func with<Result: Sendable>(
        launcher: WorkerConfiguration.LauncherSource = .embedded,
        _ body: @escaping @Sendable (LocalPool) async throws -> Result
    ) async throws -> Result {
        BuiltLauncher.putIntoPath()
        let directory = try TemporaryDirectory()
        let socket = "\(directory.path)/c.sock"
        let (isListening, listening) = AsyncStream.makeStream(of: Void.self)

        var configuration = CoordinatorConfiguration(
            dataDirectory: "\(directory.path)/coordinator", logger: quiet("coordinator"))
        configuration.listen = .unix(path: socket)
        let coordinator = Coordinator(configuration: configuration) { _ in listening.yield() }
        var worker = WorkerConfiguration(
            coordinator: CoordinatorAddress(socketPath: socket), dataDirectory: "\(directory.path)/worker",
            launcher: launcher)
        worker.cpus = 4
        worker.memoryBytes = 8 << 30
        worker.diskBytes = 8 << 30
        let service = Worker(configuration: worker, logger: quiet("worker"))
        let (wanted, restarts) = AsyncStream.makeStream(of: CheckedContinuation<Void, Never>.self)
        let local = LocalPool(
            pool: Pool(endpoint: Endpoint(socketPath: socket), token: nil), directory: directory.path,
            restarts: restarts)

        return try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask {
                try await coordinator.run(); return nil
            }
            for await _ in isListening { break }
            group.addTask {
                try await keepRunning(service, wanted); return nil
            }
            group.addTask { try await body(local) }
            defer { group.cancelAll() }
            while let next = try await group.next() { if let result = next { return result } }
            throw CancellationError()
        }
    }

    /// Runs the worker, and another one each time that one is wanted.
    private static func keepRunning(
        _ worker: Worker, _ wanted: AsyncStream<CheckedContinuation<Void, Never>>
    ) async throws {
        while !Task.isCancelled {
            try await withThrowingTaskGroup(of: CheckedContinuation<Void, Never>?.self) { group in
                group.addTask {
                    try await worker.run()
                    return nil
                }
                group.addTask {
                    for await restart in wanted { return restart }
                    return nil
                }
                let restart = try await group.next() ?? nil
                group.cancelAll()
                try await group.waitForAll()
                restart?.resume()
            }
        }
    }

    private static func quiet(_ label: String) -> Logger {
        var logger = Logger(label: label)
        logger.logLevel = getenv("SANDPOOL_TEST_LOG") == nil ? .error : .debug
        return logger
    }
}
