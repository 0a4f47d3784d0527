import SandpoolModel
import SandpoolStore

/// Workers that fail to set sandboxes up get no jobs for a while (design decision 5).
extension CoordinatorState {
    /// Takes up what an earlier process left. A wall clock that was set back makes no quarantine longer.
    mutating func recoverQuarantine(of record: WorkerRecord) {
        guard let quarantine = record.quarantine else { return }
        let left = min(quarantine.until.since(moment.wall), .milliseconds(quarantine.backoffMs))
        quarantines.hold(
            record.registration.id, .init(quarantine: quarantine, trialAt: moment.uptime + max(.zero, left)))
        effects.append(.turn(.quarantines))
    }

    /// Takes the ends of attempts as signs of how their workers are.
    ///
    /// - Parameters:
    ///   - ended: what they were before; `nil` for one that is not known any more.
    ///   - session: who reported them.
    mutating func judge(
        _ reports: [ResultReport], _ answers: [EndAnswer], ended: [RunningAttempt?], of session: SessionID
    ) {
        for ((report, answer), attempt) in zip(zip(reports, answers), ended) where answer.verdict == .recorded {
            guard let job = answer.change?.job, let sign = Quarantines.Sign(report.outcome) else { continue }
            switch sign {
            // It was set up when its command started, which counted then; that may be long ago.
            case .works where attempt?.state == .running: break
            case .works: noteSetUp(on: report.lease.worker)
            case .fails(let message):
                noteFailure(of: job, since: attempt?.since, in: session, message)
                if answer.change?.state.isTerminal ?? false { excuse(job) }
            }
        }
    }

    /// A command was executed there.
    mutating func noteSetUp(on worker: WorkerID) {
        if quarantines.count(of: worker) > 0 || quarantines.held[worker] != nil {
            endQuarantine(of: worker, "it set a sandbox up")
        }
    }

    private var quarantineLimit: Int { max(1, timings.quarantineAfter) }

    private mutating func noteFailure(of job: JobID, since: Duration?, in session: SessionID, _ message: String) {
        guard let worker = sessions.all[session]?.worker, workers[worker] != nil else { return }
        let isCounted = quarantines.noteFailure(of: job, on: worker, limit: quarantineLimit)
        let count = quarantines.count(of: worker)
        guard count >= quarantineLimit || quarantines.held[worker] != nil else { return }
        guard hasOther(than: worker) else {
            // Told once, and not for each job of what may be one bad batch.
            guard isCounted, count == quarantineLimit else { return }
            let what = "worker sets nothing up and still gets jobs, since no other worker does"
            return log(.error, "\(what); the last failed with: \(TerminalText.harmless(message, limit: 500))", worker)
        }
        guard let held = quarantines.held[worker] else {
            let what = count == 1 ? "set-up failed" : "the set-up of \(count) jobs failed in a row"
            return quarantine(in: session, for: timings.quarantineBackoff, "\(what), the last with: \(message)")
        }
        // What was leased before is no trial.
        guard let openedAt = held.openedAt, let since, since >= openedAt else { return }
        let backoff = min(.milliseconds(held.quarantine.backoffMs) * 2, timings.longestQuarantine)
        quarantine(in: session, for: backoff, "a job that tried it failed with: \(message)")
    }

    /// Whether another worker gets jobs: without one, a quarantine would send them nowhere better.
    private func hasOther(than worker: WorkerID) -> Bool {
        sessions.open.contains { other, session in
            other != worker && quarantines.held[other] == nil && workers[other].map { $0.drain == nil } ?? false
                && sessions.all[session]?.hindrance == nil
        }
    }

    /// Begins or prolongs the quarantine of the worker whose session reported a failure. It may be over by now.
    private mutating func quarantine(in session: SessionID, for backoff: Duration, _ reason: String) {
        guard let reporter = sessions.all[session] else { return }
        let worker = reporter.worker
        let quarantine = Quarantine(
            reason: TerminalText.harmless(reason, limit: 500), until: moment.wall.advanced(by: backoff),
            backoffMs: backoff.wholeMilliseconds,
            process: reporter.process ?? quarantines.held[worker]?.quarantine.process)
        quarantines.hold(worker, .init(quarantine: quarantine, trialAt: moment.uptime + backoff))
        post(.admit(worker, .none))
        log(.error, "worker is quarantined for \(backoff.wholeMilliseconds / 1_000) s: \(quarantine.reason)", worker)
        saveQuarantine(of: worker)
    }

    private mutating func excuse(_ job: JobID) {
        for worker in quarantines.excuse(job, limit: quarantineLimit) where quarantines.held[worker] != nil {
            endQuarantine(of: worker, "a job that failed there failed on other workers too")
        }
    }

    /// Ends a quarantine where there is one, and forgets what counted towards the next; whether there was one.
    @discardableResult
    mutating func endQuarantine(of worker: WorkerID, _ why: String) -> Bool {
        guard quarantines.clear(worker) != nil else { return false }
        post(.admit(worker, .all))
        log(.info, "worker is not quarantined any more: \(why)", worker)
        saveQuarantine(of: worker)
        return true
    }

    private mutating func saveQuarantine(of worker: WorkerID) {
        quarantines.unsaved.insert(worker)
        effects.append(.turn(.quarantines))
    }

    // MARK: The conversation

    mutating func turnOfQuarantines() {
        for worker in quarantines.open(at: moment.uptime) {
            post(.admit(worker, .trial))
            log(.info, "the next job tries whether the worker sets sandboxes up", worker)
        }
        if let next = quarantines.nextTrial { effects.append(.wake(.quarantines, at: next)) }
        saveNextQuarantine()
    }

    private mutating func saveNextQuarantine() {
        guard let worker = quarantines.unsaved.min() else { return }
        quarantines.unsaved.remove(worker)
        quarantines.saving = worker
        call(.quarantines, .setQuarantine(quarantines.held[worker]?.quarantine, worker))
    }

    mutating func quarantinesAnswered(_ answer: StoreAnswer) {
        guard case .known = answer else { return quarantinesFailed(.mismatch) }
        quarantines.saving = nil
        saveNextQuarantine()
    }

    mutating func quarantinesFailed(_ failure: Failure) {
        if let worker = quarantines.saving { quarantines.unsaved.insert(worker) }
        quarantines.saving = nil
        logStandstill("noting quarantines stands", failure)
        effects.append(.wake(.quarantines, at: moment.uptime + storeFailureDelay))
    }

    // MARK: What others may know

    /// A worker's quarantine, and whether a job may try it by now.
    package func quarantine(of worker: WorkerID) -> (quarantine: Quarantine, isOnTrial: Bool)? {
        quarantines.held[worker].map { ($0.quarantine, $0.openedAt != nil) }
    }
}
