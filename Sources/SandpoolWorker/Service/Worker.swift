import AsyncHTTPClient
import Glibc
import LinuxSystem
import Logging
import SandpoolModel
import ServiceLifecycle

/// The worker: claims jobs from a coordinator and runs them in this host's sandboxes.
///
/// It dials out and listens on no port. Ending it ends no sandbox, unless the launcher is embedded.
public struct Worker: Service {
    private let configuration: WorkerConfiguration
    private let log: Logger

    public init(configuration: WorkerConfiguration, logger: Logger = Logger(label: "sandpool.worker")) {
        self.configuration = configuration
        log = logger
    }

    /// Runs until the task is cancelled or a graceful shutdown begins.
    ///
    /// - Throws: `WorkerError`, one line, when it cannot start or go on.
    public func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await runUntilCancelled() }
        } catch let error as WorkerError {
            throw error
        } catch is CancellationError {
            return
        } catch {
            throw WorkerError("\(error)")
        }
    }

    /// Attacks this worker's sandboxes without serving the coordinator. It is the worker as long as that takes, so
    /// that sandboxes which an earlier one left running go on.
    ///
    /// - Throws: `WorkerError`, one line, also where another worker runs in the data directory.
    public func verify(_ extent: VerificationExtent) async throws -> Verification {
        do {
            return try await withParts { await $0.desk.verify(extent) }
        } catch let error as WorkerError {
            throw error
        } catch {
            throw WorkerError("\(error)")
        }
    }

    private func runUntilCancelled() async throws {
        try await withParts { parts in
            await parts.desk.begin(configuration.verification)
            do {
                try await parts.core.openDoor(to: parts.desk)
            } catch {
                // As on a full disk: it goes without, and takes what jobs it can.
                log.error("'sandpool worker verify' cannot ask this worker: \(error)")
            }
            try await serve(parts)
        }
    }

    /// What a worker consists of once it has its launcher and its data directory.
    private struct Parts: Sendable {
        let core: WorkerCore
        let work: BackgroundWork
        let supervisor: LauncherSupervisor
        let session: CoordinatorSession
        let desk: VerificationDesk
    }

    private func withParts<Result: Sendable>(_ body: (Parts) async throws -> Result) async throws -> Result {
        // A peer that is gone shows as EPIPE, not as the end of this process.
        signal(SIGPIPE, SIG_IGN)
        let supervisor = LauncherSupervisor(
            source: configuration.launcher, base: configuration.dataDirectory, log: log)
        let socket = try await supervisor.start()
        let directory = try WorkerDirectory(path: supervisor.stateDirectory, now: SystemClock.now())
        let (journal, results, skippedBytes) = try ResultJournal.open(path: directory.journal)
        if skippedBytes > 0 { log.warning("\(directory.journal) had \(skippedBytes) bytes of no whole record") }
        let records = try directory.attempts.load()
        let bootID = try HostFacts.bootID()
        let renewal = RenewalFile(path: directory.renewal, bootID: bootID)
        let state = WorkerState(
            settings(directory, bootID), records: records, results: results, renewal: renewal.load(),
            at: SystemClock.moment())

        let http = CoordinatorClient.makeHTTPClient()
        let client = CoordinatorClient(http: http, address: configuration.coordinator, token: configuration.token)
        let work = BackgroundWork()
        let layerUse = LayerUse()
        let thread = try LoopThread()
        let core = WorkerCore(
            thread: thread, directory: directory, journal: journal, renewal: renewal, state: state,
            settings: WorkerCore.Settings(
                plans: PlanBuilder(
                    openedCIDRs: configuration.egressAllow, leavesOutLimits: configuration.leavesOutLimits),
                execPatienceMs: configuration.execPatienceMs),
            work: work, layerUse: layerUse, log: log)
        let result: Result
        do {
            let layers = try await supervisor.greet(core, over: socket)
            let store = LayerStore(
                directory: directory.layers, limitBytes: configuration.layerCacheBytes, present: layers,
                use: layerUse, core: core)
            await core.setPreparer(
                JobPreparer(
                    offersHostImage: configuration.offersHostImage, layers: store,
                    blobs: BlobClient(client: client, directory: directory.blobs),
                    builder: MmdebstrapBuilder(directory: directory.images), use: layerUse,
                    ready: ReadyImages(layers: layers)))
            let verifier = Verifier(
                core: core, layers: store, use: layerUse, root: configuration.offersHostImage ? .host : .scratch,
                coordinator: configuration.coordinator.url, leavesOutLimits: configuration.leavesOutLimits,
                identity: VerificationIdentity(bootID: bootID))
            let desk = VerificationDesk(
                verifier: verifier, file: VerificationFile(path: directory.verification), core: core, log: log)
            result = try await body(
                Parts(
                    core: core, work: work, supervisor: supervisor,
                    session: CoordinatorSession(client: client, core: core, log: log), desk: desk))
        } catch {
            await end(core, http)
            throw error
        }
        await end(core, http)
        return result
    }

    /// Runs the parts until the first of them ends or fails.
    private func serve(_ parts: Parts) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await parts.work.run() }
            group.addTask { try await parts.session.run() }
            group.addTask { try await parts.supervisor.keepConnected(parts.core) { await parts.desk.tryAgain() } }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func end(_ core: WorkerCore, _ http: HTTPClient) async {
        if case .spawned = configuration.launcher { await core.dismissLauncher() }
        await core.close()
        try? await http.shutdown()
        core.directory.unlock()
        core.thread.stop()
    }

    private func settings(_ directory: WorkerDirectory, _ bootID: String) -> WorkerState.Settings {
        var capacity = HostCapacity.detect(dataDirectory: directory.path).resources
        if let cpus = configuration.cpus { capacity.cpuMillis = Int64((cpus * 1_000).rounded()) }
        if let bytes = configuration.memoryBytes { capacity.memoryBytes = bytes }
        if let bytes = configuration.diskBytes { capacity.diskBytes = bytes }
        return WorkerState.Settings(
            worker: directory.workerID, name: configuration.name ?? HostFacts.name(), capacity: capacity,
            labels: configuration.labels, offersHostImage: configuration.offersHostImage, bootID: bootID,
            process: String(UInt64.random(in: .min ... .max), radix: 16))
    }
}
