import Logging
import NIOCore
import SandpoolAPI
import SandpoolModel
import SandpoolStore

/// Records how attempts end, and tells everybody concerned once that is durable.
final class AttemptLedger: Sendable {
    private let store: any JobStore
    private let clock: any CoordinatorClock
    private let table: AttemptTable
    private let hub: FollowerHub
    private let inputs: InputRelays<JobID>
    private let scheduler: Scheduler
    private let queue: QueueKeeper

    init(
        store: any JobStore, clock: any CoordinatorClock, table: AttemptTable, hub: FollowerHub,
        inputs: InputRelays<JobID>, scheduler: Scheduler, queue: QueueKeeper
    ) {
        self.store = store
        self.clock = clock
        self.table = table
        self.hub = hub
        self.inputs = inputs
        self.scheduler = scheduler
        self.queue = queue
    }

    func recordProgress(_ steps: [(lease: LeaseKey, progress: AttemptProgress)]) async throws {
        let reports = steps.compactMap { step in
            ProgressReport.Step(step.progress.state).map {
                ProgressReport(lease: step.lease, step: $0, at: step.progress.at)
            }
        }
        guard !reports.isEmpty else { return }
        let verdicts = try await store.recordProgress(reports, now: clock.now)
        for (report, verdict) in zip(reports, verdicts) where verdict == .recorded {
            guard let attempt = table.attempt(report.lease.attempt) else { continue }
            let isRunning = report.step == .started
            guard table.advance(report.lease.attempt, to: AttemptState(report.step)) else { continue }
            hub.publish(.state(isRunning ? .running : .starting, note: report.step.note), to: attempt.job)
        }
    }

    /// Records results, in order, and answers each.
    func recordResults(_ reports: [ResultReport]) async throws -> [RecordedResult] {
        guard !reports.isEmpty else { return [] }
        let answers = try await store.recordResults(reports, now: clock.now)
        for (report, answer) in zip(reports, answers) where answer.verdict == .recorded {
            guard let job = answer.change?.job else { continue }
            for tail in report.tails {
                let code: OutputStreamCode = tail.stream == .stdout ? .stdout : .stderr
                hub.publish(
                    code, offset: tail.offset, ByteBuffer(bytes: tail.bytes), at: min(report.finishedAt, clock.now),
                    of: job)
            }
        }
        settle(zip(reports.map(\.lease), answers), isMeasured: true)
        return zip(reports, answers).map { report, answer in
            RecordedResult(lease: AttemptLease(report.lease), verdict: .init(answer.verdict))
        }
    }

    /// Takes back what was never started.
    func returnLeases(_ leases: [LeaseKey]) async throws {
        guard !leases.isEmpty else { return }
        settle(zip(leases, try await store.returnLeases(leases, now: clock.now)), isMeasured: false)
    }

    /// Ends attempts without their worker's word.
    func recordLosses(_ losses: [LossReport]) async throws {
        guard !losses.isEmpty else { return }
        settle(zip(losses.map(\.lease), try await store.recordLosses(losses, now: clock.now)), isMeasured: false)
    }

    /// Passes on what became of jobs whose attempts ended.
    private func settle(_ ends: some Sequence<(LeaseKey, EndAnswer)>, isMeasured: Bool) {
        var events: [SchedulerState.Event] = []
        var isQueueLonger = false
        for (lease, answer) in ends {
            // The whole key is compared: another worker's claim about the attempt must not touch it.
            if let attempt = table.attempt(lease.attempt), attempt.lease == lease {
                table.remove(lease.attempt)
                let stay = isMeasured ? clock.uptime - attempt.since : nil
                events.append(.released(lease.worker, attempt.job, after: stay))
            }
            guard let change = answer.change else { continue }
            if change.state.isTerminal {
                inputs.drop(change.job)
                hub.publish(.finished(change.job), to: change.job)
            } else {
                hub.publish(.state(change.state, note: "the attempt ended; another one follows"), to: change.job)
                if let moment = change.notBefore { queue.wake(at: moment) } else { isQueueLonger = true }
            }
        }
        if isQueueLonger { events.append(.queueChanged) }
        scheduler.post(events)
    }
}

extension LeaseKey {
    init(_ lease: AttemptLease, worker: WorkerID) {
        self.init(attempt: lease.attempt, epoch: lease.epoch, worker: worker)
    }
}

extension AttemptLease {
    init(_ key: LeaseKey) { self.init(attempt: key.attempt, epoch: key.epoch) }
}

extension RecordedResult.Verdict {
    fileprivate init(_ verdict: SandpoolStore.Verdict) {
        switch verdict {
        case .recorded: self = .recorded
        case .duplicate: self = .duplicate
        case .fenced: self = .fenced
        }
    }
}

extension ProgressReport.Step {
    fileprivate init?(_ state: AttemptState) {
        switch state {
        case .preparing: self = .preparing
        case .building: self = .building
        case .running: self = .started
        case .leased, .finished, .lost, .superseded: return nil
        }
    }

    /// What a follower is told beside the state.
    fileprivate var note: String? {
        switch self {
        case .preparing: "setting the sandbox up"
        case .building: "building the image"
        case .started: nil
        }
    }
}

extension AttemptState {
    fileprivate init(_ step: ProgressReport.Step) {
        switch step {
        case .preparing: self = .preparing
        case .building: self = .building
        case .started: self = .running
        }
    }
}
