import Glibc
import Logging
import Sandpool
import SandpoolAPI
import SandpoolCoordinator
import SandpoolWorker

/// The pool of `--local`: coordinator and worker inside the first process that needs them, over the same code
/// and the same client as any other pool, on a Unix socket and no port.
enum LocalPool {
    /// Runs `body` on this user's pool, as its owner where nobody is yet.
    static func withPool(for need: ConnectionOptions.Need, _ body: (Pool) async throws -> Void) async throws {
        let directory = DataDirectories.local
        let locks = try LocalLocks(directory: directory)
        switch try await locks.join() {
        case .guest:
            try await body(Pool(endpoint: Endpoint(socketPath: LocalLocks.socket(in: directory)), token: nil))
        case .owner where need == .running:
            try await own(directory, locks, body)
        case .owner:
            // Stands in for a moment, unseen: whoever needs a worker waits for its end.
            try await read(directory, body)
        }
    }

    private static var quiet: Logger { Logger(label: "sandpool.local") { _ in SwiftLogNoOpLogHandler() } }

    private static func own(
        _ directory: String, _ locks: LocalLocks, _ body: (Pool) async throws -> Void
    ) async throws {
        let socket = LocalLocks.socket(in: directory)
        try await serve(directory, socket: socket, hasWorker: true) { pool in
            let result: Result<Void, any Error>
            do {
                result = .success(try await body(pool))
            } catch {
                result = .failure(error)
            }
            try await serveOthers(pool, locks)
            unlink(socket)
            try result.get()
        }
    }

    /// Goes on until no job is unfinished and no other process of this user is connected.
    private static func serveOthers(_ pool: Pool, _ locks: LocalLocks) async throws {
        var hasTold = false
        while true {
            let unfinished = try await pool.jobs()
            if unfinished.isEmpty, try await locks.isAlone() { return }
            if !hasTold, StandardError.isTerminal {
                StandardError.line("sandpool: serving this user's other jobs until they are done; Ctrl-C ends them")
                hasTold = true
            }
            for job in unfinished { _ = try await pool.wait(for: job.id.text) }
            try await locks.waitUntilAlone()
        }
    }

    private static func read(_ directory: String, _ body: (Pool) async throws -> Void) async throws {
        let socket = "\(directory)/reader.sock"
        try await serve(directory, socket: socket, hasWorker: false, body)
        unlink(socket)
    }

    private static func serve(
        _ directory: String, socket: String, hasWorker: Bool, _ body: (Pool) async throws -> Void
    ) async throws {
        unlink(socket)
        var configuration = CoordinatorConfiguration(dataDirectory: "\(directory)/coordinator", logger: quiet)
        configuration.listen = .unix(path: socket)
        configuration.pool.gaps = OrdinaryUser.gaps
        let (listening, announce) = AsyncStream.makeStream(of: Void.self)
        let coordinator = Coordinator(configuration: configuration) { _ in announce.yield() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await endProcess(unlessCancelled: { try await coordinator.run() }) }
            for await _ in listening { break }
            defer { group.cancelAll() }
            let pool = Pool(endpoint: Endpoint(socketPath: socket), token: nil)
            guard hasWorker else { return try await body(pool) }
            try await withWorker(workerConfiguration(directory, socket: socket)) {
                try await awaitWorker(pool)
                try await body(pool)
            }
        }
    }

    /// The worker's end is waited for: it comes back at once to a coordinator that ends a session, and a server that is
    /// cancelled crashes over a connection that it has just accepted (NIOAsyncChannel, "Deinited NIOAsyncWriter").
    private static func withWorker(_ worker: WorkerConfiguration, _ body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                await endProcess(unlessCancelled: { try await Worker(configuration: worker, logger: quiet).run() })
            }
            defer { group.cancelAll() }
            try await body()
        }
    }

    /// - Parameter directory: where `--local` keeps its files.
    static func workerConfiguration(_ directory: String, socket: String) -> WorkerConfiguration {
        var worker = WorkerConfiguration(
            coordinator: CoordinatorAddress(socketPath: socket), dataDirectory: "\(directory)/worker",
            launcher: .embedded)
        worker.leavesOutLimits = OrdinaryUser.gaps.unlimitedBecause != nil
        worker.verification = .oncePerBoot
        return worker
    }

    /// What this host can never run is refused only where it is known what it can.
    private static func awaitWorker(_ pool: Pool) async throws {
        while true {
            if let worker = try await pool.workers().first(where: { $0.connectedAt != nil }) {
                return try trust(worker)
            }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// A pool has other workers, which a job can wait for; this one has none.
    private static func trust(_ worker: WorkerInfo) throws {
        guard let verification = worker.verification, !verification.isTrusted else { return }
        throw SandpoolError(
            code: "untrusted_sandbox", message: "this host runs no jobs: \(verification.text)",
            hint: "'sandpool worker verify --local' tells more")
    }

    /// Runs a part of the embedded pool. Without it nothing that this process waits for can happen.
    private static func endProcess(unlessCancelled service: () async throws -> Void) async {
        do {
            try await service()
        } catch {
            guard !Task.isCancelled else { return }
            StandardError.line("sandpool: \(error)")
            ExitStatus.sandpoolFailure.end()
        }
    }
}
