import SandpoolModel
import SandpoolStore

/// The scheduler's whole memory, as a value without I/O: `step` takes events and returns what to do.
/// Its part of `CoordinatorState` is `Scheduling`.
///
/// It places the jobs of a window, a piece of the queue from its head, on connected workers by priority, then
/// age. A job goes to the worker that it leaves the least room on (best fit), so that large holes stay for
/// large jobs, and to one that has not failed it before where there is one.
///
/// **Nothing waits behind what fits nowhere.** Jobs of one demand fit the same places, so the first of them stands
/// for all. Where nothing in a full window can be placed, a survey goes through the demands behind it.
///
/// **Large jobs do not starve.** A job that would fit an enrolled, empty worker, and that `passesBeforeReserve`
/// younger or less urgent jobs have overtaken, reserves the worker it fits with the most free room: nothing
/// else is placed there until it has been. One reservation exists at a time, so all others go on.
///
/// **Prefetch.** A worker whose attempts lately ended within `prefetchBelow` gets up to `prefetch` jobs more
/// than fit at once, so that its slots never idle for a round trip. A worker of long jobs gets none, because a
/// prefetched job cannot move to a worker that becomes free.
package struct SchedulerState: Sendable {
    let tuning: Tuning
    private(set) var workers: [WorkerID: WorkerSlot] = [:]
    private(set) var queue = QueueWindow()
    private var survey = QueueSurvey()
    private var reservation = Reservation()
    /// Whether the window is being read. What changes meanwhile is read afterwards, or a stream of changes would
    /// keep the scheduler at the queue's head.
    private var isReading = false

    init(tuning: Tuning = Tuning()) { self.tuning = tuning }

    /// Takes everything that happened since the last step, so that one transaction serves all of it.
    mutating func step(_ events: [Event]) -> Effect? {
        for event in events { note(event) }
        return schedule()
    }

    private mutating func note(_ event: Event) {
        switch event {
        case .loaded(let jobs, let position):
            let isEnd = jobs.count < tuning.page
            queue.replace(after: position, with: jobs, isEnd: isEnd)
            reservation.check(against: jobs, after: position, isEnd: isEnd)
            if queue.next == nil { survey = QueueSurvey() } else { survey.drop(queue.holds) }
        case .surveyed(let heads):
            look(at: heads)
        case .drawn(let lines, let limit):
            survey.draw(lines, limit: limit)
            survey.drop(queue.holds)
        case .connected, .disconnected, .drain, .admit, .queueChanged, .released, .refused:
            survey.change()
            noteChange(event)
        }
    }

    private mutating func noteChange(_ event: Event) {
        switch event {
        case .connected(let offer, let held):
            workers[offer.id] = WorkerSlot(offer: offer, held: held)
        case .disconnected(let id):
            workers[id] = nil
        case .drain(let id, let drains):
            workers[id]?.offer.drains = drains
        case .admit(let id, let admission):
            workers[id]?.admit(admission)
        case .queueChanged:
            queue.isStale = true
        case .released(let worker, let job, let duration):
            workers[worker]?.release(job, after: duration)
        case .refused(let placement, let workerUnavailable):
            workers[placement.worker]?.release(placement.job, after: nil)
            if workerUnavailable { workers[placement.worker]?.offer.drains = true }
            queue.isStale = true
        case .loaded, .surveyed, .drawn: break
        }
    }

    /// Looks at a page of the survey: of what can be placed the foremost is drawn, and what would fit but has no
    /// room is watched like a job of the window.
    private mutating func look(at heads: [QueuedJob]) {
        for job in heads where !queue.holds(job.demand) {
            if choose(for: job) != nil { survey.offer(job) } else { passOver(job) }
        }
        survey.finishPage(heads, isEnd: heads.count < tuning.page)
        if let gone = survey.missed { abandon(gone) }
    }

    /// Places what can be placed, or asks for more of the queue first.
    private mutating func schedule() -> Effect? {
        guard workers.values.contains(where: { $0.hasRoom(tuning: tuning) }) else { return nil }
        if queue.isStale, !isReading { return readHead() }
        let placements = place()
        if placements.isEmpty, let position = queue.next, !isWindowFull {
            return .load(after: position, limit: tuning.page)
        }
        isReading = false
        if !placements.isEmpty { return .lease(placements) }
        if isWindowFull, let effect = survey.advance(page: tuning.page, watched: reservation.job) { return effect }
        return queue.isStale ? readHead() : nil
    }

    private mutating func readHead() -> Effect {
        isReading = true
        return .load(after: nil, limit: tuning.page)
    }

    private var isWindowFull: Bool { queue.next != nil && queue.count >= tuning.window }

    private mutating func place() -> [Placement] {
        var placements: [Placement] = []
        var heads = queue.heads
        while let job = heads.popLast() {
            guard let placement = place(job) else { continue }
            placements.append(placement)
            guard let next = queue.remove(job) else { continue }
            heads.insert(next, at: (heads.lastIndex { next.position < $0.position } ?? -1) + 1)
        }
        // Whatever the survey found stands behind a full window.
        var unplaceable: Set<String> = []
        while isWindowFull, let job = survey.first(except: unplaceable) {
            if let placement = place(job) {
                placements.append(placement)
                survey.remove(job)
            } else {
                unplaceable.insert(job.demand)
            }
        }
        return placements
    }

    private mutating func place(_ job: QueuedJob) -> Placement? {
        guard let worker = choose(for: job) else {
            passOver(job)
            return nil
        }
        workers[worker]?.take(job)
        reservation.placed(job)
        return Placement(job: job.id, worker: worker)
    }

    /// Ends what is kept for a job. What was passed over meanwhile may fit now.
    private mutating func abandon(_ job: JobID) {
        guard reservation.abandon(job) else { return }
        queue.isStale = true
        survey.change()
    }

    private mutating func passOver(_ job: QueuedJob) {
        guard workers.values.contains(where: { $0.accepts(job) }) else { return abandon(job.id) }
        reservation.passed(over: job)
        reserveIfStarved(job)
    }

    /// The worker for a job: one that has not tried it, has room now, and is left with the least.
    private func choose(for job: QueuedJob) -> WorkerID? {
        let fitting = workers.values.filter { slot in
            slot.isOpen && slot.accepts(job) && !reservation.isHeld(slot.offer.id, against: job)
        }
        let roomy = fitting.filter { $0.free.fits(job.resources) }
        let candidates = roomy.isEmpty ? fitting.filter { $0.canPrefetch(job, tuning: tuning) } : roomy
        return candidates.min { left, right in
            left.rank(for: job) < right.rank(for: job)
        }?.offer.id
    }

    private mutating func reserveIfStarved(_ job: QueuedJob) {
        guard reservation.passes(of: job) >= tuning.passesBeforeReserve else { return }
        // The one that is kept already goes on emptying.
        if let kept = reservation.worker(for: job), workers[kept]?.accepts(job) ?? false { return }
        let fitting = workers.values.filter { $0.accepts(job) }
        // The emptiest worker drains first; its id breaks ties, so that the choice does not depend on hashing.
        let chosen = fitting.max { left, right in
            (left.freeShare, right.offer.id) < (right.freeShare, left.offer.id)
        }
        if let chosen { reservation.hold(chosen.offer.id, for: job) }
    }
}
