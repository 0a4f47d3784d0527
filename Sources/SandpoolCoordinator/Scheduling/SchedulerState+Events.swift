import SandpoolModel
import SandpoolStore

/// What goes in and what comes out.
extension SchedulerState {
    struct Tuning: Sendable {
        /// Jobs asked for at a time.
        var page = 256
        /// Most jobs that the window holds. What stands behind so many that fit nowhere is found by survey.
        var window = 512
        var passesBeforeReserve = 64
        var prefetch = 8
        var prefetchBelow = Duration.milliseconds(500)

        init() {}
    }

    enum Event: Sendable {
        /// A worker's session was opened, or what is known of it changed.
        case connected(WorkerOffer, held: [JobID: Resources])
        case disconnected(WorkerID)
        case drain(WorkerID, Bool)
        /// A quarantine began, ended, or has its trial.
        case admit(WorkerID, WorkerOffer.Admission)
        /// Jobs became claimable, or stopped being so.
        case queueChanged
        /// The answer to `Effect.load`.
        case loaded([QueuedJob], after: QueuePosition?)
        /// The answer to `Effect.survey`.
        case surveyed([QueuedJob])
        /// The answer to `Effect.draw`, with its limit.
        case drawn([[QueuedJob]], limit: Int)
        /// An attempt ended or was given back; `after` is how long the worker held it, `nil` for one that says
        /// nothing about the worker's speed.
        case released(WorkerID, JobID, after: Duration?)
        /// A placement did not become a lease.
        case refused(Placement, workerUnavailable: Bool)
    }

    enum Effect: Hashable, Sendable {
        /// Read a page of the queue and answer with `loaded`.
        case load(after: QueuePosition?, limit: Int)
        /// Read the first job of each of the next demands and answer with `surveyed`.
        case survey(after: String?, limit: Int)
        /// Read the first jobs of each of these demands and answer with `drawn`.
        case draw([String], limit: Int)
        /// Lease these in one transaction.
        case lease([Placement])
    }

    package struct Placement: Hashable, Sendable {
        package var job: JobID
        package var worker: WorkerID
    }
}
