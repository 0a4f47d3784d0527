import SandpoolModel
import SandpoolStore

/// The scheduler's whole memory, as a value without I/O: `step` takes events and returns what to do.
///
/// It places the jobs of a window, a piece of the queue from its head, on connected workers by priority, then
/// age. A job goes to the worker that it leaves the least room on (best fit), so that large holes stay for
/// large jobs, and to one that has not failed it before where there is one.
///
/// **Large jobs do not starve.** A job that would fit an enrolled, empty worker, and that `passesBeforeReserve`
/// younger or less urgent jobs have overtaken, reserves the worker it fits with the most free room: nothing
/// else is placed there until it has been. One reservation exists at a time, so all others go on.
///
/// **Prefetch.** A worker whose attempts lately ended within `prefetchBelow` gets up to `prefetch` jobs more
/// than fit at once, so that its slots never idle for a round trip. A worker of long jobs gets none, because a
/// prefetched job cannot move to a worker that becomes free.
struct SchedulerState: Sendable {
    struct Tuning: Sendable {
        /// Jobs asked for at a time.
        var page = 256
        /// Most jobs that the window holds. What stands behind so many that fit nowhere has to wait.
        var window = 4_096
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
        /// Jobs became claimable, or stopped being so.
        case queueChanged
        /// The answer to `Effect.load`.
        case loaded([QueuedJob], after: QueuePosition?)
        /// An attempt ended or was given back; `after` is how long the worker held it, `nil` for one that says
        /// nothing about the worker's speed.
        case released(WorkerID, JobID, after: Duration?)
        /// A placement did not become a lease.
        case refused(Placement, workerUnavailable: Bool)
    }

    enum Effect: Hashable, Sendable {
        /// Read a page of the queue and answer with `loaded`.
        case load(after: QueuePosition?, limit: Int)
        /// Lease these in one transaction.
        case lease([Placement])
    }

    struct Placement: Hashable, Sendable {
        var job: JobID
        var worker: WorkerID
    }

    let tuning: Tuning
    private(set) var workers: [WorkerID: WorkerSlot] = [:]
    private(set) var queue = QueueWindow()
    private var reservation = Reservation()

    init(tuning: Tuning = Tuning()) { self.tuning = tuning }

    /// Takes everything that happened since the last step, so that one transaction serves all of it.
    mutating func step(_ events: [Event]) -> [Effect] {
        for event in events { note(event) }
        return schedule()
    }

    private mutating func note(_ event: Event) {
        switch event {
        case .connected(let offer, let held):
            workers[offer.id] = WorkerSlot(offer: offer, held: held)
        case .disconnected(let id):
            workers[id] = nil
        case .drain(let id, let drains):
            workers[id]?.offer.drains = drains
        case .queueChanged:
            queue.isStale = true
        case .loaded(let jobs, let position):
            queue.replace(after: position, with: jobs, isEnd: jobs.count < tuning.page)
            if position == nil { reservation.keep(only: jobs) }
        case .released(let worker, let job, let duration):
            workers[worker]?.release(job, after: duration)
        case .refused(let placement, let workerUnavailable):
            workers[placement.worker]?.release(placement.job, after: nil)
            if workerUnavailable { workers[placement.worker]?.offer.drains = true }
            queue.isStale = true
        }
    }

    /// Places what can be placed, or asks for more of the queue first.
    private mutating func schedule() -> [Effect] {
        guard workers.values.contains(where: { $0.hasRoom(tuning: tuning) }) else { return [] }
        if queue.isStale { return [.load(after: nil, limit: tuning.page)] }
        var placements: [Placement] = []
        var unplaceable: Set<QueueShape> = []
        while let job = queue.first(except: unplaceable) {
            if let worker = choose(for: job) {
                workers[worker]?.take(job)
                placements.append(Placement(job: job.id, worker: worker))
                queue.remove(job)
                reservation.placed(job)
            } else {
                if workers.values.contains(where: { $0.accepts(job) }) {
                    reservation.passed(over: job)
                    reserveIfStarved(job)
                }
                unplaceable.insert(QueueShape(job))
            }
        }
        if !placements.isEmpty { return [.lease(placements)] }
        guard let position = queue.next, queue.count < tuning.window else { return [] }
        return [.load(after: position, limit: tuning.page)]
    }

    /// The worker for a job: one that has not tried it, has room now, and is left with the least.
    private func choose(for job: QueuedJob) -> WorkerID? {
        let fitting = workers.values.filter { slot in
            slot.accepts(job) && !reservation.isHeld(slot.offer.id, against: job)
        }
        let roomy = fitting.filter { $0.free.fits(job.resources) }
        let candidates = roomy.isEmpty ? fitting.filter { $0.canPrefetch(job, tuning: tuning) } : roomy
        return candidates.min { left, right in
            left.rank(for: job) < right.rank(for: job)
        }?.offer.id
    }

    private mutating func reserveIfStarved(_ job: QueuedJob) {
        guard reservation.passes(of: job) >= tuning.passesBeforeReserve else { return }
        let fitting = workers.values.filter { $0.accepts(job) }
        // The emptiest worker drains first; its id breaks ties, so that the choice does not depend on hashing.
        let chosen = fitting.max { left, right in
            (left.freeShare, right.offer.id) < (right.freeShare, left.offer.id)
        }
        if let chosen { reservation.hold(chosen.offer.id, for: job) }
    }
}
