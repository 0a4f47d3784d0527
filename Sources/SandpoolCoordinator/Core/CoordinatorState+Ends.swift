import SandpoolAPI
import SandpoolModel
import SandpoolStore

/// What follows once it is durable how attempts ended.
extension CoordinatorState {
    /// Passes on what became of jobs whose attempts ended.
    ///
    /// - Parameters:
    ///   - isMeasured: whether the ends say something about how fast the worker is.
    ///   - isTaken: whether the attempts ended without their worker's word. One that is connected must end them.
    mutating func settle(_ leases: [LeaseKey], _ answers: [EndAnswer], isMeasured: Bool = false, isTaken: Bool = false)
    {
        var events: [SchedulerState.Event] = []
        var isQueueLonger = false
        for (lease, answer) in zip(leases, answers) {
            sessions.noteEnd(of: lease)
            self.leases.noteEnd(of: lease)
            if let attempt = attempts.remove(lease) {
                let stay = isMeasured ? moment.uptime - attempt.since : nil
                events.append(.released(lease.worker, attempt.job, after: stay))
                if isTaken { send(.kill(AttemptLease(lease)), to: lease.worker) }
            }
            guard let change = answer.change else { continue }
            if change.state.isTerminal {
                finished(change.job)
            } else {
                let note = "the attempt ended; another one follows"
                effects.append(.publish(change.job, .state(change.state, note: note)))
                if let moment = change.notBefore { wakeQueue(at: moment) } else { isQueueLonger = true }
            }
        }
        if isQueueLonger { events.append(.queueChanged) }
        post(events)
    }

    /// Tells everybody that a job has ended.
    mutating func finished(_ job: JobID) {
        effects.append(.dropInput(job))
        effects.append(.publish(job, .finished))
    }

    mutating func settle(_ reports: [ProgressReport], _ verdicts: [Verdict]) {
        for (report, verdict) in zip(reports, verdicts) {
            // A start that was stored before may have come with a call that failed.
            guard verdict == .recorded || (verdict == .duplicate && report.step == .started) else { continue }
            note(report.step, of: report.lease)
        }
    }

    /// Notes a step that is stored, and tells of it where it is new here.
    mutating func note(_ step: ProgressReport.Step, of lease: LeaseKey) {
        guard let attempt = attempts[lease], attempts.advance(lease.attempt, to: AttemptState(step)) else { return }
        if step == .started { noteSetUp(on: lease.worker) }
        let state: JobState = step == .started ? .running : .starting
        effects.append(.publish(attempt.job, .state(state, note: step.note)))
    }

    /// Settles results, shows their output and answers them.
    mutating func settle(_ reports: [ResultReport], _ answers: [EndAnswer], of session: SessionID) {
        for (report, answer) in zip(reports, answers) where answer.verdict == .recorded {
            guard let job = answer.change?.job else { continue }
            for tail in report.tails {
                effects.append(.publish(job, .tail(tail, at: min(report.finishedAt, moment.wall))))
            }
        }
        let ended = reports.map { attempts[$0.lease] }
        settle(reports.map(\.lease), answers, isMeasured: true)
        judge(reports, answers, ended: ended, of: session)
        let recorded = zip(reports, answers).map { report, answer in
            RecordedResult(lease: AttemptLease(report.lease), verdict: .init(answer.verdict))
        }
        effects.append(.send(session, .recorded(recorded)))
    }
}

extension LossReport {
    /// The end of an attempt whose worker lost it or fell silent. Where it is not known whether the command ran, it
    /// counts as run.
    static func workerLost(
        _ lease: LeaseKey, kind: Kind = .lost, _ message: String, commandStarted: Bool = true
    ) -> LossReport {
        let outcome = Outcome(cause: .workerLost, message: message, commandStarted: commandStarted)
        return LossReport(lease: lease, kind: kind, outcome: outcome)
    }
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
