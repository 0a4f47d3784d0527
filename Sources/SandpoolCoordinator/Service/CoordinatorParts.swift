import Logging
import NIOCore
import NIOPosix
import SandpoolAPI
import SandpoolModel
import SandpoolStore

/// The collaborators that a running coordinator is made of, wired together once.
struct CoordinatorParts: Sendable {
    let configuration: CoordinatorConfiguration
    let logger: Logger
    let clock: any CoordinatorClock
    let eventLoop: any EventLoop
    let store: any JobStore
    let output: OutputStore
    let blobs: BlobStore
    let streams: OpenStreams
    let tokens: TokenAuthority
    let workers = WorkerDirectory()
    let table = AttemptTable()
    let sessions = SessionTable()
    let hub = FollowerHub()
    let inputs = InputRelays<JobID>()
    let execs = ExecTable()
    let scheduler: Scheduler
    let queue: QueueKeeper
    let ledger: AttemptLedger
    let leases: LeaseKeeper
    let drains: DrainKeeper
    let jobs: JobService
    let orphans: OrphanKeeper

    init(
        configuration: CoordinatorConfiguration, directory: DataDirectory, store: any JobStore,
        clock: any CoordinatorClock, reserve: DiskReserve, eventLoop: any EventLoop, pool: NIOThreadPool
    ) throws {
        let logger = configuration.logger
        self.configuration = configuration
        self.logger = logger
        self.clock = clock
        self.eventLoop = eventLoop
        self.store = store
        output = OutputStore(root: directory.output, pool: pool, clock: clock)
        blobs = try BlobStore(root: directory.blobs, limit: configuration.blobBytes, reserve: reserve, pool: pool)
        streams = OpenStreams()
        tokens = TokenAuthority(store: store, clock: clock, streams: streams)
        scheduler = Scheduler(
            store: store, clock: clock, table: table, sessions: sessions, hub: hub, inputs: inputs,
            eventLoop: eventLoop, logger: logger)
        queue = QueueKeeper(
            store: store, clock: clock, hub: hub, scheduler: scheduler, eventLoop: eventLoop, logger: logger)
        ledger = AttemptLedger(
            store: store, clock: clock, table: table, hub: hub, inputs: inputs, scheduler: scheduler, queue: queue)
        leases = LeaseKeeper(
            store: store, clock: clock, table: table, ledger: ledger, sessions: sessions,
            timings: configuration.timings, eventLoop: eventLoop, logger: logger)
        drains = DrainKeeper(
            clock: clock, workers: workers, table: table, sessions: sessions, eventLoop: eventLoop)
        jobs = JobService(
            store: store, clock: clock, pool: configuration.pool, blobs: blobs, workers: workers, table: table,
            sessions: sessions, hub: hub, scheduler: scheduler, queue: queue)
        orphans = OrphanKeeper(
            jobs: jobs, hub: hub, clock: clock, grace: configuration.timings.disconnectGrace, eventLoop: eventLoop,
            logger: logger)
    }

    /// Tells a worker what of an attempt's output is durable.
    func acknowledgeOutput(of attempt: RunningAttempt, on session: WorkerLink) {
        let lease = AttemptLease(attempt.lease)
        func durable(_ code: OutputStreamCode) -> Int64 {
            output.durableEnd(OutputStore.StreamID(job: attempt.job, attempt: lease.attempt, code: code))
        }
        session.send(.outputDurable(lease, stdout: durable(.stdout), stderr: durable(.stderr)))
    }
}
