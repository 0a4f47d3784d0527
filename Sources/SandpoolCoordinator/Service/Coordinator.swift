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
        let store = ReservingStore(store: try await openStore(directory, reserve, now: clock.now), reserve: reserve)
        let pool = NIOThreadPool(numberOfThreads: Self.fileThreads)
        pool.start()
        do {
            let parts = try CoordinatorParts(
                configuration: configuration, directory: directory, store: store, clock: clock,
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
        let workers = try await parts.store.workers()
        parts.workers.replaceAll(workers)
        for attempt in try await parts.store.liveAttempts(worker: nil) {
            parts.table.insert(
                RunningAttempt(
                    lease: attempt.lease, job: attempt.job, spec: attempt.spec, resources: attempt.resources,
                    state: attempt.state, since: parts.clock.uptime))
            // Silence counts from now on: nobody could renew a lease while there was no coordinator.
            parts.leases.heard(attempt.lease.worker)
        }
        for job in try await parts.store.jobs(
            JobQuery(states: [.queued, .starting, .running], limit: StoreLimits.page))
        where job.spec.onDisconnect == .cancel {
            parts.orphans.abandoned(job.id)
        }
    }

    private func serve(_ parts: CoordinatorParts) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await parts.scheduler.run() }
            group.addTask { await parts.queue.run() }
            group.addTask { await parts.leases.run() }
            group.addTask { await parts.drains.run() }
            group.addTask { await parts.orphans.run() }
            group.addTask { await parts.syncOutput() }
            defer { parts.stopLoops() }
            try await HTTPService(parts: parts, onListening: onListening).run()
        }
    }
}

extension CoordinatorParts {
    /// Ends every loop; what they have begun is finished first.
    fileprivate func stopLoops() {
        scheduler.stop()
        queue.stop()
        leases.stop()
        drains.stop()
        orphans.stop()
        output.dirtySignal.close()
    }

    /// Makes output durable as it comes and acknowledges it, everything that came together with one pass.
    fileprivate func syncOutput() async {
        while await output.dirtySignal.wait() {
            do {
                let (synced, failed) = try await output.syncDirty()
                for attempt in Set(synced.map(\.stream.attempt)) {
                    guard let running = table.attempt(attempt),
                        let session = sessions.session(of: running.lease.worker)
                    else { continue }
                    acknowledgeOutput(of: running, on: session)
                }
                for (stream, error) in failed {
                    logger.error("output could not be stored: \(error)")
                    guard let running = table.attempt(stream.attempt) else { continue }
                    sessions.session(of: running.lease.worker)?.abort("its output could not be stored: \(error)")
                }
            } catch {
                logger.error("output could not be stored: \(error)")
            }
        }
    }
}
