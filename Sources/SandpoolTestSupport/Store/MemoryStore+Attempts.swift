import SandpoolModel
import SandpoolStore

extension MemoryStore {
    package mutating func recordProgress(_ reports: [ProgressReport], now: Timestamp) throws -> [Verdict] {
        try Bounds.check(count: reports.count, of: "progress reports")
        return reports.map { report in
            let (verdict, moved) = move(report.lease, by: report.step.event)
            guard var attempt = moved else { return verdict }
            if report.step == .started {
                let startedAt = report.at.clamped(from: attempt.createdAt, to: now)
                attempt.startedAt = startedAt
                jobs[attempt.job]?.state = .running
                jobs[attempt.job]?.startedAt = startedAt
                jobs[attempt.job]?.queueDeadline = nil
            }
            attempts[report.lease.attempt] = attempt
            return .recorded
        }
    }

    package mutating func recordResults(_ reports: [ResultReport], now: Timestamp) throws -> [EndAnswer] {
        try Bounds.check(count: reports.count, of: "results")
        for report in reports { try Bounds.check(report) }
        return reports.map { report in
            let (verdict, moved) = move(report.lease, by: .ended(report.outcome))
            guard var attempt = moved else { return EndAnswer(verdict: verdict, change: nil) }
            if report.outcome.commandStarted, attempt.startedAt == nil {
                attempt.startedAt = report.startedAt?.clamped(from: attempt.createdAt, to: now)
            }
            attempt.finishedAt = report.finishedAt.clamped(from: attempt.createdAt, to: now)
            let isCancelRequested = jobs[attempt.job]?.isCancelRequested ?? false
            attempt.outcome = report.outcome.bounded.attributed(cancelRequested: isCancelRequested)
            attempt.evidence = report.evidence
            attempt.downloads = report.downloads
            attempt.tails = report.tails
            return EndAnswer(verdict: .recorded, change: conclude(attempt, now: now))
        }
    }

    package mutating func returnLeases(_ leases: [LeaseKey], now: Timestamp) throws -> [EndAnswer] {
        try Bounds.check(count: leases.count, of: "leases")
        return leases.map { lease in
            let (verdict, moved) = move(lease, by: .returned)
            guard var attempt = moved else { return EndAnswer(verdict: verdict, change: nil) }
            attempt.finishedAt = max(attempt.createdAt, now)
            return EndAnswer(verdict: .recorded, change: conclude(attempt, now: now))
        }
    }

    package mutating func recordLosses(_ losses: [LossReport], now: Timestamp) throws -> [EndAnswer] {
        try Bounds.check(count: losses.count, of: "losses")
        for loss in losses { try Bounds.check(loss) }
        return losses.map { loss in
            let (verdict, moved) = move(loss.lease, by: loss.kind.event)
            guard var attempt = moved else { return EndAnswer(verdict: verdict, change: nil) }
            attempt.finishedAt = max(attempt.createdAt, now)
            attempt.outcome = loss.outcome.bounded
            let change = conclude(attempt, now: now)
            if change?.state != .queued { attempts[loss.lease.attempt]?.state = .lost }
            return EndAnswer(verdict: .recorded, change: change)
        }
    }

    package func liveAttempts(worker: WorkerID?) throws -> [LiveAttempt] {
        let live = attempts.values.filter { attempt in
            !attempt.state.isTerminal && (worker.map { $0 == attempt.lease.worker } ?? true)
        }
        return live.sorted { ($0.createdAt, $0.lease.attempt) < ($1.createdAt, $1.lease.attempt) }.compactMap {
            attempt in
            jobs[attempt.job].map { job in
                LiveAttempt(
                    lease: attempt.lease, job: attempt.job, state: attempt.state, resources: job.new.resources,
                    spec: job.new.spec, createdAt: attempt.createdAt, startedAt: attempt.startedAt,
                    unreachableSince: attempt.unreachableSince, cancelRequested: job.isCancelRequested,
                    bootID: attempt.bootID)
            }
        }
    }

    package mutating func setUnreachable(worker: WorkerID, since: Timestamp?) throws {
        for (id, attempt) in attempts where attempt.lease.worker == worker && !attempt.state.isTerminal {
            attempts[id]?.unreachableSince = since
        }
    }

    /// The attempt in its next state, not stored yet; `nil` with the reason where the event does not move it.
    private func move(_ lease: LeaseKey, by event: AttemptEvent) -> (Verdict, MemoryAttempt?) {
        guard var attempt = attempts[lease.attempt], attempt.lease == lease else { return (.fenced, nil) }
        switch attempt.state.decide(event) {
        case .duplicate: return (.duplicate, nil)
        case .refuse: return (.fenced, nil)
        case .move(let next):
            attempt.state = next
            return (.recorded, attempt)
        }
    }

    /// Stores an attempt that ended, and what that makes of its job.
    private mutating func conclude(_ ended: MemoryAttempt, now: Timestamp) -> JobChange? {
        var attempt = ended
        attempt.unreachableSince = nil
        attempts[attempt.lease.attempt] = attempt
        guard var job = jobs[attempt.job] else { return nil }
        defer { jobs[attempt.job] = job }
        let conclusion =
            attempt.outcome.map { outcome in
                Conclusion.of(outcome, counts: job.counts, cancelRequested: job.isCancelRequested) { job.new.spec }
            } ?? Conclusion.ofReturn(counts: job.counts, cancelRequested: job.isCancelRequested)
        switch conclusion {
        case .finish(let outcome):
            job.startedAt = attempt.startedAt
            job.finish(outcome, at: attempt.finishedAt ?? now)
        case .requeue(let counts, let delay):
            job.state = .queued
            job.counts = counts
            job.startedAt = nil
            job.notBefore = delay.map { now.advanced(by: $0) }
            if attempt.outcome?.commandStarted ?? false { job.queueDeadline = nil }
        }
        return JobChange(job: attempt.job, state: job.state, notBefore: job.notBefore)
    }
}
