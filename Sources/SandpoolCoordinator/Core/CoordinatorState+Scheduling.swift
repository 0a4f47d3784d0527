import SandpoolAPI
import SandpoolModel
import SandpoolStore

/// What surrounds a `SchedulerState`.
struct Scheduling: Sendable {
    var state = SchedulerState()
    /// What the state has not been told yet.
    var inbox: [SchedulerState.Event] = []
    /// Whether a turn is to come.
    var isDue = false
    /// What the outstanding call answers.
    var effect: SchedulerState.Effect?
    /// Who waits until no lease is under way.
    var waiting: [Conversation] = []
    /// Leases that were cancelled before they were known here.
    var cancelled: Set<LeaseKey> = []

    /// Whether a lease may be on its way to a worker.
    var isLeasing: Bool { if case .lease = effect { true } else { false } }
}

/// The scheduler's conversation: pages of the queue, and leases.
extension CoordinatorState {
    mutating func post(_ events: [SchedulerState.Event]) {
        guard !events.isEmpty else { return }
        scheduling.inbox += events
        // What comes during a call is taken in with its answer.
        guard scheduling.effect == nil, !scheduling.isDue else { return }
        scheduling.isDue = true
        effects.append(.turn(.scheduler))
    }

    mutating func post(_ event: SchedulerState.Event) { post([event]) }

    mutating func turnOfScheduler() {
        guard scheduling.isDue else { return }
        schedule([])
    }

    private mutating func schedule(_ answers: [SchedulerState.Event]) {
        let events = answers + scheduling.inbox
        scheduling.inbox.removeAll(keepingCapacity: true)
        scheduling.isDue = false
        scheduling.effect = scheduling.state.step(events)
        switch scheduling.effect {
        case .load(let position, let limit): call(.scheduler, .page(limit: limit, after: position))
        case .survey(let demand, let limit): call(.scheduler, .demands(limit: limit, after: demand))
        case .draw(let demands, let limit): call(.scheduler, .draw(demands, limit: limit))
        case .lease(let placements): call(.scheduler, .lease(placements))
        case nil: break
        }
    }

    mutating func schedulerAnswered(_ answer: StoreAnswer) {
        let effect = scheduling.effect
        scheduling.effect = nil
        switch (effect, answer) {
        case (.load(let position, _), .jobs(let jobs)): schedule([.loaded(jobs, after: position)])
        case (.survey, .jobs(let heads)): schedule([.surveyed(heads)])
        case (.draw(_, let limit), .lines(let lines)): schedule([.drawn(lines, limit: limit)])
        case (.lease(let placements), .leased(let answers)):
            let refusals = leased(placements, answers)
            endLeasing()
            schedule(refusals)
        default:
            scheduling.effect = effect
            schedulerFailed(.mismatch)
        }
    }

    mutating func schedulerFailed(_ failure: Failure) {
        if case .lease(let placements) = scheduling.effect {
            scheduling.inbox += placements.map { .refused($0, workerUnavailable: false) }
            // A lease that was stored after all would wait for ever: the worker's next inventory gives it back, and the
            // store is asked for it in case the worker does not come back.
            if failure.isAmbiguous {
                leases.unsure.formUnion(placements.map(\.worker))
                effects.append(.turn(.leases))
                for worker in Set(placements.map(\.worker)).sorted() {
                    endSession(of: worker, .abort("whether its leases were stored is not known: \(failure)"))
                }
            }
        }
        scheduling.effect = nil
        endLeasing()
        scheduling.isDue = true
        logStandstill("scheduling stands", failure)
        effects.append(.wake(.scheduler, at: moment.uptime + storeFailureDelay))
    }

    /// Pushes new leases to their workers, and the input that waits for them. Where the session has gone, the
    /// worker's next inventory gives them back. The placements that did not become leases.
    private mutating func leased(
        _ placements: [SchedulerState.Placement], _ answers: [LeaseAnswer]
    ) -> [SchedulerState.Event] {
        var refusals: [SchedulerState.Event] = []
        var assignments: [WorkerID: [Assignment]] = [:]
        var order: [WorkerID] = []
        for (placement, answer) in zip(placements, answers) {
            switch answer {
            case .leased(let lease, let spec):
                hold(
                    RunningAttempt(
                        lease: lease, job: placement.job, spec: spec, resources: Resources(spec.resources),
                        state: .leased, since: moment.uptime))
                effects.append(.publish(placement.job, .begin(lease.attempt)))
                effects.append(.publish(placement.job, .state(.starting, note: nil)))
                if assignments[placement.worker] == nil { order.append(placement.worker) }
                assignments[placement.worker, default: []].append(
                    Assignment(lease: AttemptLease(lease), job: placement.job, spec: spec))
            case .notClaimable: refusals.append(.refused(placement, workerUnavailable: false))
            case .workerUnavailable: refusals.append(.refused(placement, workerUnavailable: true))
            }
        }
        for worker in order { assign(assignments[worker, default: []], to: worker) }
        return refusals
    }

    private mutating func assign(_ assignments: [Assignment], to worker: WorkerID) {
        let session = sessions.current(of: worker)
        if let session { effects.append(.send(session, .assign(assignments))) }
        for assignment in assignments {
            if let session {
                effects.append(.pushInput(assignment.job, assignment.lease, session, again: true))
            }
            let lease = LeaseKey(assignment.lease, worker: worker)
            if scheduling.cancelled.remove(lease) != nil { requestCancel(lease) }
        }
    }

    /// Lets those go on who wait until no lease is under way.
    private mutating func endLeasing() {
        scheduling.cancelled = []
        for conversation in scheduling.waiting { effects.append(.turn(conversation)) }
        scheduling.waiting = []
    }

    /// Takes a worker out of scheduling. Whether no lease to it can be under way; where one can, the conversation
    /// gets a turn once none is.
    mutating func disconnect(_ worker: WorkerID, for conversation: Conversation) -> Bool {
        post(.disconnected(worker))
        guard scheduling.isLeasing else { return true }
        scheduling.waiting.append(conversation)
        return false
    }

    /// The store has noted that an attempt is to be cancelled.
    mutating func requestCancel(_ lease: LeaseKey) {
        guard attempts[lease] != nil else {
            // A lease whose answer is on its way, or one that has ended.
            if scheduling.isLeasing { scheduling.cancelled.insert(lease) }
            return
        }
        attempts.requestCancel(lease.attempt)
        send(.cancel(AttemptLease(lease)), to: lease.worker)
    }
}
