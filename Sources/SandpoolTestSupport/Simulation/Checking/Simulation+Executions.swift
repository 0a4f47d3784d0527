import SandpoolAPI
import SandpoolModel
import SandpoolSandbox
import SandpoolStore

/// What is held against commands that begin and end.
extension Simulation {
    /// - Returns: its place among all.
    func beginExecution(of id: AttemptID, job: Int, on host: Int) -> Int {
        let place = truth.executions.count
        say("command of job \(job) begins on host \(host), attempt \(id.short)")
        checkBeginning(of: id, job: job)
        truth.executions.append(Truth.Execution(attempt: id, job: job, host: host, startedAt: now))
        truth.jobs[job].executions.append(place)
        truth.attempts[id]?.execution = place
        return place
    }

    private func checkBeginning(of id: AttemptID, job: Int) {
        guard let attempt = truth.attempts[id] else { return fail("a command begins that nobody leased: \(id)") }
        if attempt.execution != nil { fail("attempt \(id) executes its command twice") }
        if let end = attempt.end, !attempt.isForgotten {
            fail("a command begins under attempt \(id), which had ended as \(end)")
        }
        for place in truth.jobs[job].executions {
            let earlier = truth.executions[place]
            if earlier.endedAt == nil, !mayOverlap(earlier), !attempt.isForgotten {
                fail("attempts \(earlier.attempt) and \(id) of job \(job) run at once")
            }
            if !scenario.jobs[job].spec.isRerunSafe, !isUserFailure(earlier) {
                fail("job \(job) must not run again, and does so under \(id) after \(earlier.attempt)")
            }
        }
    }

    /// Whether the worker could not have ended the command in time: it did not run, stood still or had no launcher. A
    /// second run does no harm to such a job, and nobody else can reach the first.
    private func mayOverlap(_ execution: Truth.Execution) -> Bool {
        guard scenario.jobs[execution.job].spec.isRerunSafe else { return false }
        if hosts[execution.host].wasForgotten { return true }
        guard let since = hosts[execution.host].ableSince, let worker = hosts[execution.host].worker else {
            return true
        }
        return worker.frozenUntil > now || now - since < 15_000_000
    }

    func mustHaveEnded(_ execution: Truth.Execution) -> Bool {
        execution.endedAt == nil && truth.attempts[execution.attempt]?.isForgotten == false
    }

    /// The place of an attempt is given to another one: by then its own worker has ended it.
    func checkReplaced(_ attempt: Truth.Attempt) {
        guard let execution = attempt.execution.map({ truth.executions[$0] }), execution.endedAt == nil,
            !mayOverlap(execution)
        else { return }
        fail("attempt \(execution.attempt) is replaced while it runs")
    }

    /// Whether the user's own command failed, was recorded so, and is to be tried again.
    private func isUserFailure(_ execution: Truth.Execution) -> Bool {
        guard truth.attempts[execution.attempt]?.end == .finished, scenario.jobs[execution.job].spec.retries > 0,
            let stored = coordinator.store.attempts[execution.attempt]?.outcome
        else { return false }
        note(.userRetry)
        return stored.cause.fault == .user
    }

    /// - Parameter report: `nil` where the launcher went, and the sandbox with it.
    func endExecution(_ sandbox: SimulatedSandbox, _ report: ExitReport?) {
        guard let place = sandbox.execution else { return }
        let execution = truth.executions[place]
        truth.executions[place].endedAt = now
        truth.executions[place].report = report
        let how = report.map { "\($0.end), \($0.reason)" } ?? "with its launcher"
        say("command of \(execution.attempt.short) ends: \(how)")
        if report?.reason == .cancelled { checkKill(of: execution) }
    }

    /// Nobody ends a command that somebody still wants.
    private func checkKill(of execution: Truth.Execution) {
        let host = hosts[execution.host]
        guard let attempt = truth.attempts[execution.attempt], attempt.end == nil,
            !truth.jobs[execution.job].isCancelled, !host.hadDrainDeadline
        else { return }
        let isSafe = scenario.jobs[execution.job].spec.isRerunSafe
        // Eleven twelfths of the time until it is replaced, and what an answer may have been on its way.
        let patience = scenario.timings.replaceAfter.wholeMilliseconds * 1_000 / 10 * 7
        if isSafe, now - host.notedAt >= patience { return note(.killedBySilence) }
        fail("the command of attempt \(execution.attempt) is ended, and nobody asked for that")
    }

    /// The worker is told to end a command: it is gone some seconds later, where the worker can reach it.
    func expectEnd(of attempt: AttemptID) {
        guard let place = truth.attempts[attempt]?.execution else { return }
        after(5_000_000, .mustHaveEnded(execution: place))
    }

    func checkEnded(_ place: Int) {
        let execution = truth.executions[place]
        guard execution.endedAt == nil, let since = hosts[execution.host].ableSince, now - since > 5_000_000,
            hosts[execution.host].worker?.frozenUntil ?? .max <= now - 5_000_000
        else { return }
        fail("the command of attempt \(execution.attempt) goes on, and its worker was told to end it")
    }

    // MARK: Workers

    /// A worker asks its launcher for a sandbox: its lease has to hold, counted from when its renewal was sent.
    func checkStart(of assignment: Assignment, on host: Int) {
        let age = now - hosts[host].renewedAt
        let lease = scenario.timings.lease.wholeMilliseconds * 1_000
        if age > lease + lease / 1_000 {
            fail("worker \(host) starts \(assignment.lease.attempt) \(age / 1_000) ms after its newest renewal")
        }
    }

    /// Output is only told of where the command has written it.
    func checkSpool(holds source: OutputPiece.Source, count: Int64) {
        guard let job = truth.attempts[source.sandbox]?.job else {
            return fail("output of \(source.sandbox), which nobody leased")
        }
        let plan = scenario.jobs[job]
        let written = source.stream == .stdout ? plan.stdout : plan.stderr
        if source.offset + count > written { fail("output of \(source.sandbox) beyond what it has written") }
    }

    /// A result is told when it is on disk. What an earlier process wrote there is taken as it is found.
    func checkJournal(holds lease: AttemptLease, on host: Int) {
        guard hosts[host].worker?.replayed.contains(lease) == false, !hosts[host].disk.isDurable(lease) else { return }
        fail("the result of \(lease.attempt) is sent before it is on disk")
    }

    /// The launcher forgets a sandbox: what became of it has to be on disk by then, or wanted by nobody.
    func checkRelease(of id: AttemptID, on host: Int) {
        guard let attempt = truth.attempts[id], attempt.end == nil else { return }
        let lease = AttemptLease(attempt: id, epoch: attempt.lease.epoch)
        guard !hosts[host].disk.isDurable(lease) else { return }
        fail("the sandbox of attempt \(id) is taken down before its result is on disk")
    }
}
