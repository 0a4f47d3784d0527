import Logging
import NIOCore
import SandpoolAPI
import SandpoolModel
import SandpoolStore
import Synchronization

/// Drives `SchedulerState`: collects events, does what a step says, and pushes new leases to their workers.
/// One loop, one step at a time; it sleeps while nothing happens.
final class Scheduler: Sendable {
    private let store: any JobStore
    private let clock: any CoordinatorClock
    private let table: AttemptTable
    private let sessions: SessionTable
    private let hub: FollowerHub
    private let inputs: InputRelays<JobID>
    private let logger: Logger
    private let inbox = Mutex<[SchedulerState.Event]>([])
    private let barriers = Mutex<[CheckedContinuation<Void, Never>]>([])
    private let signal = Signal()
    private let retry: Alarm

    /// Wait after the store refused a transaction, for example because the disk is full.
    private static let failureDelay = Duration.seconds(1)

    init(
        store: any JobStore, clock: any CoordinatorClock, table: AttemptTable, sessions: SessionTable,
        hub: FollowerHub, inputs: InputRelays<JobID>, eventLoop: any EventLoop, logger: Logger
    ) {
        self.store = store
        self.clock = clock
        self.table = table
        self.sessions = sessions
        self.hub = hub
        self.inputs = inputs
        self.logger = logger
        retry = Alarm(signal: signal, clock: clock, eventLoop: eventLoop)
    }

    func post(_ events: [SchedulerState.Event]) {
        guard !events.isEmpty else { return }
        inbox.withLock { $0 += events }
        signal.raise()
    }

    func post(_ event: SchedulerState.Event) { post([event]) }

    /// Waits until everything posted before has been acted on: afterwards no lease of it is under way.
    func settle() async {
        await withCheckedContinuation { continuation in
            barriers.withLock { $0.append(continuation) }
            signal.raise()
            // The loop may have ended before it could see this one.
            if signal.isClosed { releaseBarriers() }
        }
    }

    func stop() { signal.close() }

    /// Works until `stop` or cancellation.
    func run() async {
        var state = SchedulerState()
        defer { releaseBarriers() }
        while await signal.wait() {
            let waiting = takeBarriers()
            defer { for barrier in waiting { barrier.resume() } }
            var effects = state.step(takeEvents())
            while !effects.isEmpty {
                var answers = takeEvents()
                do {
                    for effect in effects { answers += try await perform(effect) }
                } catch {
                    logger.error("scheduling stands still for a second: \(error)")
                    for case .lease(let placements) in effects {
                        let refusals = placements.map {
                            SchedulerState.Event.refused($0, workerUnavailable: false)
                        }
                        inbox.withLock { $0 += refusals }
                    }
                    retry.set(clock.uptime + Self.failureDelay)
                    break
                }
                effects = state.step(answers + takeEvents())
            }
        }
    }

    private func takeBarriers() -> [CheckedContinuation<Void, Never>] {
        barriers.withLock { barriers in
            defer { barriers = [] }
            return barriers
        }
    }

    private func releaseBarriers() {
        for barrier in takeBarriers() { barrier.resume() }
    }

    private func takeEvents() -> [SchedulerState.Event] {
        inbox.withLock { inbox in
            defer { inbox.removeAll(keepingCapacity: true) }
            return inbox
        }
    }

    private func perform(_ effect: SchedulerState.Effect) async throws -> [SchedulerState.Event] {
        switch effect {
        case .load(let position, let limit):
            return [.loaded(try await store.claimable(limit: limit, after: position), after: position)]
        case .survey(let demand, let limit):
            return [.surveyed(try await store.demands(limit: limit, after: demand))]
        case .draw(let demands, let limit):
            var lines: [[QueuedJob]] = []
            for demand in demands { lines.append(try await store.claimable(limit: limit, of: demand)) }
            return [.drawn(lines, limit: limit)]
        case .lease(let placements):
            return try await lease(placements)
        }
    }

    private func lease(_ placements: [SchedulerState.Placement]) async throws -> [SchedulerState.Event] {
        let now = clock.now
        let requests = placements.map {
            LeaseRequest(job: $0.job, attempt: .make(at: now), worker: $0.worker)
        }
        let answers = try await store.lease(requests, now: now)
        var refusals: [SchedulerState.Event] = []
        var assignments: [WorkerID: [Assignment]] = [:]
        for (placement, answer) in zip(placements, answers) {
            switch answer {
            case .leased(let lease, let spec):
                table.insert(
                    RunningAttempt(
                        lease: lease, job: placement.job, spec: spec, resources: Resources(spec.resources),
                        state: .leased, since: clock.uptime))
                hub.begin(lease.attempt, of: placement.job)
                hub.publish(.state(.starting, note: nil), to: placement.job)
                assignments[placement.worker, default: []].append(
                    Assignment(lease: AttemptLease(lease), job: placement.job, spec: spec))
            case .notClaimable:
                refusals.append(.refused(placement, workerUnavailable: false))
            case .workerUnavailable:
                refusals.append(.refused(placement, workerUnavailable: true))
            }
        }
        for (worker, list) in assignments { push(list, to: worker) }
        return refusals
    }

    /// Sends assignments, and the input that waits for them. Where the session has gone, the worker's next
    /// inventory gives them back.
    private func push(_ assignments: [Assignment], to worker: WorkerID) {
        guard let session = sessions.session(of: worker) else { return }
        session.send(assignments)
        for assignment in assignments {
            inputs.push(assignment.job, for: assignment.lease, to: session, again: true)
        }
    }
}
