import Glibc
import Hummingbird
import Logging
import NIOCore
import NIOPosix
import SandpoolAPI
import SandpoolModel
import SandpoolStore
import ServiceLifecycle

/// The coordinator: the only process that opens the database. It takes jobs over HTTP, gives them to the workers
/// whose sessions are open, and keeps what became of them.
public struct Coordinator: Service {
    private let configuration: CoordinatorConfiguration
    private let onListening: @Sendable (ListenAddress) async -> Void

    /// Threads that wait for the disk.
    private static let fileThreads = 4

    /// - Parameter onListening: called once connections are taken, with the address that is bound.
    public init(
        configuration: CoordinatorConfiguration,
        onListening: @escaping @Sendable (ListenAddress) async -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.onListening = onListening
    }

    /// Serves until a graceful shutdown or cancellation. Running jobs are not touched by either: their workers
    /// go on and come back to the next coordinator on this directory.
    ///
    /// - Throws: `CoordinatorError`, one line, where it cannot start.
    public func run() async throws {
        try checkListenAddress()
        let directory = try DataDirectory(path: configuration.dataDirectory)
        let clock = SystemClock()
        let reserve = try openReserve(directory)
        let database = try await openStore(directory, reserve, now: clock.now)
        let store = ReservingStore(store: database, reserve: reserve)
        let pool = NIOThreadPool(numberOfThreads: Self.fileThreads)
        pool.start()
        do {
            let parts = try CoordinatorParts(
                configuration: configuration, directory: directory, store: store,
                archive: ReservingArchive(archive: database, reserve: reserve), held: database, clock: clock,
                reserve: reserve, eventLoop: MultiThreadedEventLoopGroup.singleton.next(), pool: pool)
            try await recover(parts, directory)
            try await serve(parts)
        } catch {
            try? await pool.shutdownGracefully()
            try? await store.close()
            throw error
        }
        try await pool.shutdownGracefully()
        try await store.close()
    }

    private func checkListenAddress() throws(CoordinatorError) {
        switch configuration.listen {
        case .tcp:
            guard configuration.listen.isLocal || configuration.insecureHTTP else {
                throw CoordinatorError(
                    "\(configuration.listen) is not loopback, and plain HTTP would show tokens and output to the "
                        + "network; listen on 127.0.0.1 behind a TLS proxy, or pass --insecure-http")
            }
        case .unix(let path):
            guard path.utf8.count <= ListenAddress.longestUnixPath else {
                throw CoordinatorError(
                    "\(path): longer than the \(ListenAddress.longestUnixPath) bytes of a socket's path; use a "
                        + "shorter --data-dir")
            }
        }
    }

    private func openReserve(_ directory: DataDirectory) throws(CoordinatorError) -> DiskReserve {
        do { return try DiskReserve(path: directory.reserve, bytes: configuration.reserveBytes) } catch {
            throw CoordinatorError("\(error); check the disk and the directory's owner")
        }
    }

    private func openStore(
        _ directory: DataDirectory, _ reserve: DiskReserve, now: Timestamp
    ) async throws -> SQLiteJobStore {
        do {
            while true {
                do { return try await SQLiteJobStore.open(path: directory.database, now: now) } catch StoreError
                    .diskFull where reserve.release()
                { continue }
            }
        } catch {
            throw CoordinatorError("\(error)")
        }
    }

    /// Takes up what an earlier process left: tokens, workers, and the attempts that workers still hold.
    private func recover(_ parts: CoordinatorParts, _ directory: DataDirectory) async throws {
        if try await !parts.tokens.load() || !PosixFile.exists(directory.adminToken) {
            let admin = try await parts.tokens.create(name: "admin", role: .admin)
            try directory.writeSecret(admin.secret, to: directory.adminToken)
        }
        parts.core.feed(
            .recovered(
                workers: try await parts.store.workers(), live: try await parts.store.liveAttempts(worker: nil)))
        for job in try await parts.store.jobs(
            JobQuery(states: [.queued, .starting, .running], limit: StoreLimits.page))
        where job.spec.onDisconnect == .cancel {
            parts.orphans.abandoned(job.id)
        }
    }

    private func serve(_ parts: CoordinatorParts) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await parts.core.run() }
            group.addTask { await parts.core.syncOutput() }
            group.addTask { await parts.orphans.run() }
            group.addTask { await parts.pruner.run() }
            defer { parts.stopLoops() }
            try await HTTPService(parts: parts, onListening: onListening).run()
        }
    }
}

extension CoordinatorParts {
    /// Ends every loop; what they have begun is finished first.
    fileprivate func stopLoops() {
        core.stop()
        orphans.stop()
        pruner.stop()
        output.dirtySignal.close()
    }
}
