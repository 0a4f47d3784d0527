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
    let hub = FollowerHub()
    let inputs = InputRelays<JobID>()
    let execs = ExecTable()
    let holds = JobHolds()
    let held: any HeldJobs
    let pruner: Pruner
    let core: CoordinatorCore
    let jobs: JobService
    let orphans: OrphanKeeper

    init(
        configuration: CoordinatorConfiguration, directory: DataDirectory, store: any JobStore,
        archive: any JobArchive, held: any HeldJobs, clock: any CoordinatorClock, reserve: DiskReserve,
        eventLoop: any EventLoop, pool: NIOThreadPool
    ) throws {
        let logger = configuration.logger
        self.configuration = configuration
        self.logger = logger
        self.clock = clock
        self.eventLoop = eventLoop
        self.store = store
        self.held = held
        output = OutputStore(root: directory.output, pool: pool, clock: clock)
        blobs = try BlobStore(root: directory.blobs, limit: configuration.blobBytes, reserve: reserve, pool: pool)
        pruner = Pruner(
            archive: archive, output: output, blobs: blobs, holds: holds, clock: clock,
            retention: configuration.retention, eventLoop: eventLoop, logger: logger)
        streams = OpenStreams()
        tokens = TokenAuthority(store: store, clock: clock, streams: streams)
        core = CoordinatorCore(
            store: store, output: output, clock: clock, hub: hub, inputs: inputs, execs: execs,
            timings: configuration.timings, eventLoop: eventLoop, logger: logger)
        jobs = JobService(store: store, clock: clock, pool: configuration.pool, blobs: blobs, core: core)
        orphans = OrphanKeeper(
            jobs: jobs, hub: hub, clock: clock, grace: configuration.timings.disconnectGrace, eventLoop: eventLoop,
            logger: logger)
    }
}
