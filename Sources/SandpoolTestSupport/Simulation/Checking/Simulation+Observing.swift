import SandpoolAPI
import SandpoolCoordinator
import SandpoolModel
import SandpoolStore

/// What is held against the store's writes, as they are committed.
extension Simulation {
    func noteStored(_ id: JobID, job: Int) {
        if let known = clients[job].id, known != id { fail("one key made two jobs, \(known) and \(id)") }
        clients[job].id = id
        say("job \(job) is stored as \(id)")
    }

    func observe(_ call: StoreCall, _ answer: StoreAnswer, by conversation: Conversation) {
        switch (call, answer) {
        case (.lease(let placements), .leased(let answers)):
            for (placement, answer) in zip(placements, answers) { observe(placement, answer) }
        case (.recordProgress(let reports), .verdicts(let verdicts)):
            for (report, verdict) in zip(reports, verdicts) where verdict == .recorded { observe(report) }
        case (.recordResults(let reports), .ends(let answers)):
            for (report, answer) in zip(reports, answers) where answer.verdict == .recorded {
                end(report.lease, as: .finished, answer)
                check(report)
            }
        case (.returnLeases(let leases), .ends(let answers)):
            for (lease, answer) in zip(leases, answers) where answer.verdict == .recorded {
                note(.leaseReturned)
                end(lease, as: .returned, answer)
                if truth.attempts[lease.attempt]?.execution != nil {
                    fail("\(lease.attempt) is given back, and it ran")
                }
            }
        case (.recordLosses(let losses), .ends(let answers)):
            for (loss, answer) in zip(losses, answers) where answer.verdict == .recorded {
                check(loss, by: conversation)
                note(loss.kind == .lost ? .attemptLost : .attemptReplaced)
                end(loss.lease, as: loss.kind == .lost ? .lost : .superseded, answer)
            }
        case (.advanceQueue, .advanced(let advance)):
            for id in advance.expired {
                note(.queueTimeout)
                finish(id, .timedOut)
            }
        case (.cancel(let id), .cancelled(let answer)): observe(cancelOf: id, answer)
        default: break
        }
    }

    private func observe(_ placement: SchedulerState.Placement, _ answer: LeaseAnswer) {
        guard case .leased(let lease, _) = answer, let job = jobIndex(placement.job),
            let host = hosts.firstIndex(where: { $0.id == lease.worker })
        else { return }
        say("job \(job) is leased to host \(host): \(lease.attempt.short), epoch \(lease.epoch)")
        if truth.jobs[job].final != nil { fail("job \(job) is leased after its end") }
        if truth.jobs[job].isCancelled { fail("job \(job) is leased after it was cancelled") }
        if let last = truth.jobs[job].attempts.last, truth.attempts[last]?.end == nil {
            fail("job \(job) is leased while attempt \(last) holds it")
        }
        if !truth.jobs[job].attempts.isEmpty { note(.requeued) }
        truth.jobs[job].attempts.append(lease.attempt)
        truth.attempts[lease.attempt] = Truth.Attempt(lease: lease, job: job, host: host)
    }

    private func observe(_ report: ProgressReport) {
        guard let attempt = truth.attempts[report.lease.attempt] else { return }
        if attempt.end != nil { fail("a step of attempt \(report.lease.attempt) is recorded after its end") }
        if report.step == .started, attempt.execution == nil {
            fail("attempt \(report.lease.attempt) is recorded as started, and it never was")
        }
    }

    private func observe(cancelOf id: JobID, _ answer: CancelAnswer) {
        guard let job = jobIndex(id) else { return }
        switch answer {
        case .cancelled:
            note(.cancelledQueued)
            finish(id, .cancelled)
        case .requested:
            note(.cancelledHeld)
            truth.jobs[job].isCancelled = true
        case .finished, .notFound: break
        }
    }

    // MARK: Ends

    private func end(_ lease: LeaseKey, as end: Truth.Attempt.End, _ answer: EndAnswer) {
        guard let attempt = truth.attempts[lease.attempt] else { return fail("an end of \(lease.attempt): not leased") }
        let job = answer.change?.state.rawValue ?? "?"
        say("attempt \(lease.attempt.short) of job \(attempt.job) is \(end), its job \(job)")
        if let earlier = attempt.end {
            fail("attempt \(lease.attempt) is recorded as \(end), and was \(earlier) before")
        }
        if attempt.lease != lease { fail("attempt \(lease.attempt) is ended under another lease") }
        truth.attempts[lease.attempt]?.end = end
        guard let change = answer.change, change.state.isTerminal else { return }
        finish(change.job, change.state)
    }

    private func finish(_ id: JobID, _ state: JobState) {
        guard let job = jobIndex(id) else { return }
        say("job \(job) is \(state.rawValue)")
        if let final = truth.jobs[job].final { fail("job \(job) ends as \(state), and had ended as \(final)") }
        truth.jobs[job].final = state
        if coordinator.store.jobs[id]?.outcome?.message?.contains("poison") ?? false { note(.poisoned) }
        for place in truth.jobs[job].executions where mustHaveEnded(truth.executions[place]) {
            if state == .cancelled, !truth.jobs[job].isCancelled {
                fail("job \(job) is cancelled in the queue and runs")
            }
        }
    }

    /// What a worker reports has to be what happened.
    private func check(_ report: ResultReport) {
        let id = report.lease.attempt
        guard let attempt = truth.attempts[id] else { return }
        let execution = attempt.execution.map { truth.executions[$0] }
        if !report.outcome.commandStarted, execution != nil {
            fail("attempt \(id) is reported as never started, and it was")
        }
        if execution?.endedAt == nil, execution != nil { fail("attempt \(id) is reported as ended, and it runs") }
        guard let code = report.outcome.exitCode, report.outcome.commandStarted else { return }
        guard case .exited(let real)? = execution?.report?.end, Int(real) == code else {
            return fail("attempt \(id) is reported with exit code \(code), which nobody saw")
        }
    }

    /// An attempt is only given up where its worker cannot have it any more, or was silent for long enough.
    private func check(_ loss: LossReport, by conversation: Conversation) {
        guard let attempt = truth.attempts[loss.lease.attempt] else { return }
        if !loss.outcome.commandStarted {
            note(.neverBegan)
            if attempt.execution != nil {
                fail("attempt \(loss.lease.attempt) is given up as never started, and it was")
            }
        }
        let host = hosts[attempt.host]
        switch conversation {
        case .leases:
            let spec = scenario.jobs[attempt.job].spec
            let timings = scenario.timings
            let patience =
                spec.isRerunSafe
                ? timings.replaceAfter : timings.lostAfter + .milliseconds(Int64((spec.timeoutSeconds ?? 0) * 1_000))
            let silence = silences[attempt.host]
            if silence < patience.wholeMilliseconds * 999 {
                fail("attempt \(loss.lease.attempt) is given up after \(silence / 1_000_000) s of silence")
            }
            if spec.isRerunSafe { checkReplaced(attempt) }
        // An operator vouches that the worker is dead, and may be wrong.
        case .command: truth.attempts[loss.lease.attempt]?.isForgotten = true
        default:
            let isThere = host.launcher.sandboxes[loss.lease.attempt] != nil
            let isHeld = host.worker?.state.inventory.contains { $0.lease.attempt == loss.lease.attempt } ?? false
            if isThere, isHeld { fail("attempt \(loss.lease.attempt) is given up, and its worker has it") }
        }
    }

    // MARK: What workers are told

    func check(_ message: CoordinatorMessage, to host: Int) {
        switch message {
        case .outputDurable(let lease, let stdout, let stderr):
            acknowledge(lease.attempt, .stdout, stdout)
            acknowledge(lease.attempt, .stderr, stderr)
        case .recorded(let results):
            for result in results where result.verdict != .fenced && truth.attempts[result.lease.attempt]?.end == nil {
                fail("the result of \(result.lease.attempt) is answered, and it is not recorded")
            }
        default: break
        }
    }

    private func acknowledge(_ attempt: AttemptID, _ code: OutputStreamCode, _ end: Int64) {
        let durable = coordinator.output.durableEnd(OutputDisk.Stream(attempt: attempt, code: code))
        if end > durable { fail("output of \(attempt) is acknowledged up to \(end), and durable up to \(durable)") }
        let known = truth.attempts[attempt]?.acknowledged[code] ?? 0
        truth.attempts[attempt]?.acknowledged[code] = max(known, end)
    }
}
