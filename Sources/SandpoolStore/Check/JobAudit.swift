import SandpoolModel

/// Goes through a job's attempts, oldest first, and says what cannot have come about: a pure fold that keeps one
/// attempt in memory, however many there were.
///
/// Each end is decided once more by `Conclusion`, as the stores do. So what is stored is the only thing that it can be,
/// or something wrote that is not a store.
package struct JobAudit {
    private let job: AuditedJob
    /// What the attempts before the latest have used up.
    private var counts = RetryCounts()
    private var latest: Attempt?
    private var attempts: Int64 = 0

    package init(_ job: AuditedJob) { self.job = job }

    /// Takes the next attempt and says what is wrong with it and with what came before.
    package mutating func take(_ attempt: Attempt) -> [CheckFinding] {
        var findings = AttemptAudit(attempt, of: job).findings
        attempts += 1
        if attempt.epoch != attempts {
            findings.append(
                .init(
                    .epoch, at: place(of: attempt), "has epoch \(attempt.epoch) and is attempt \(attempts)",
                    remedy: AttemptAudit.restore))
        }
        if let before = latest { findings += check(attempt, after: before) }
        latest = attempt
        return findings
    }

    /// What is wrong with the job itself, once every attempt was taken.
    package func close() -> [CheckFinding] {
        var findings: [CheckFinding] = []
        if job.epoch != attempts {
            findings.append(job.finding(.epoch, "has epoch \(job.epoch) and \(attempts) attempts"))
        }
        let isOver = job.state.isTerminal
        if isOver != (job.finishedAt != nil) || isOver != (job.end != nil) {
            let (moment, cause) = (job.finishedAt == nil ? "no" : "a", job.end == nil ? "no" : "a")
            findings.append(
                job.finding(.ending, "is \(job.state.rawValue), with \(moment) moment and \(cause) cause of its end"))
        }
        return findings + checkState()
    }

    // MARK: From one attempt to the next

    private mutating func check(_ attempt: Attempt, after before: Attempt) -> [CheckFinding] {
        guard before.state.isTerminal else {
            return [finding(.overlap, attempt, "began while \(before.id) is still \(before.state.rawValue)")]
        }
        // Nothing is leased again once a cancel was asked for.
        switch conclusion(of: before, isCancelRequested: false) {
        case .finish(let end):
            let kind: CheckFinding.Kind = attempt.state == .finished ? .result : .overlap
            return [finding(kind, attempt, "began after \(before.id) had ended the job: \(JobEnd(end))")]
        case .requeue(let counts, _):
            self.counts = counts
        }
        guard !job.spec.isRerunSafe, before.startedAt != nil, let started = attempt.startedAt,
            let ended = before.finishedAt, started < ended
        else { return [] }
        let gap = ended.since(started).wholeMilliseconds
        return [
            .init(
                .overlap, at: place(of: attempt),
                "started \(gap) ms before \(before.id) ended, and a rerun is not safe",
                remedy: "unless the host's clock was set back then, find out what two runs at a time have done")
        ]
    }

    private func conclusion(of attempt: Attempt, isCancelRequested: Bool) -> Conclusion {
        attempt.outcome.map { outcome in
            Conclusion.of(outcome, counts: counts, cancelRequested: isCancelRequested) { job.spec }
        } ?? Conclusion.ofReturn(counts: counts, cancelRequested: isCancelRequested)
    }

    // MARK: The job's state

    private func checkState() -> [CheckFinding] {
        guard let latest else { return checkQueued(counts) }
        guard latest.state.isTerminal else { return checkHeld(latest) }
        switch conclusion(of: latest, isCancelRequested: job.isCancelRequested) {
        case .finish(let end): return checkEnded(JobEnd(end), state: end.jobState, by: latest)
        case .requeue(let counts, _): return checkQueued(counts)
        }
    }

    /// No attempt is under way, and none has ended the job: it waits, or its end came in the queue.
    private func checkQueued(_ counts: RetryCounts) -> [CheckFinding] {
        var findings = check(counts)
        if job.state.isTerminal {
            if let end = job.end, !JobEnd.inQueue.contains(end) {
                findings.append(job.finding(.result, "ended as \(end), and no attempt of it did"))
            }
        } else if job.state != .queued {
            findings.append(job.finding(.state, "is \(job.state.rawValue), and no attempt of it is under way"))
        }
        return findings + check(startedAt: nil)
    }

    private func checkHeld(_ attempt: Attempt) -> [CheckFinding] {
        let expected: JobState = attempt.state == .running ? .running : .starting
        guard job.state == expected else {
            return [job.finding(.state, "is \(job.state.rawValue), and \(attempt.id) is \(attempt.state.rawValue)")]
        }
        return check(counts) + check(startedAt: attempt.startedAt)
    }

    private func checkEnded(_ end: JobEnd, state: JobState, by attempt: Attempt) -> [CheckFinding] {
        guard job.state == state, job.end == end else {
            let stored = job.end.map { " as \($0)" } ?? ""
            return [job.finding(.state, "is \(job.state.rawValue)\(stored), and \(attempt.id) ended it as \(end)")]
        }
        var findings = check(counts) + check(startedAt: attempt.startedAt)
        if job.finishedAt != attempt.finishedAt {
            findings.append(job.finding(.time, "ended at another moment than \(attempt.id), which ended it"))
        }
        return findings
    }

    private func check(_ counts: RetryCounts) -> [CheckFinding] {
        guard job.counts != counts else { return [] }
        return [job.finding(.retries, "has used up \(job.counts.words), and its attempts \(counts.words)")]
    }

    private func check(startedAt: Timestamp?) -> [CheckFinding] {
        guard job.startedAt != startedAt else { return [] }
        return [job.finding(.time, "started at another moment than its attempt")]
    }

    private func place(of attempt: Attempt) -> String { "\(job.id) \(attempt.id)" }

    private func finding(_ kind: CheckFinding.Kind, _ attempt: Attempt, _ what: String) -> CheckFinding {
        .init(kind, at: place(of: attempt), what, remedy: AttemptAudit.restore)
    }
}

extension AuditedJob {
    func finding(_ kind: CheckFinding.Kind, _ what: String) -> CheckFinding {
        .init(kind, at: id.text, what, remedy: AttemptAudit.restore)
    }
}

extension RetryCounts {
    fileprivate var words: String {
        "\(notStarted) unstarted, \(lostRunning) lost, \(workersLost) with their workers, \(userFailures) failed"
    }
}
