import SandpoolModel
import SandpoolSandbox
import SandpoolWorker

/// The launchers, which outlive their workers.
extension Simulation {
    // MARK: The worker's connection

    /// A worker dials its launcher on the local socket: there is one, or there is none.
    func connectToLauncher(_ host: Int) {
        guard var worker = hosts[host].worker else { return }
        guard hosts[host].launcher.isUp else {
            worker.launcherTries += 1
            hosts[host].worker = worker
            // As LauncherSupervisor waits, and gives up: about a minute in all.
            if worker.launcherTries > 12 { return loseLauncher(host) }
            return after(1_000_000, .worker(host: host, start: worker.start, .connectToLauncher))
        }
        worker.launcherTries = 0
        worker.launcherConnection += 1
        worker.hasLauncher = true
        worker.fromLauncher = now
        worker.toLauncher = now
        let start = worker.start
        hosts[host].worker = worker
        hosts[host].launcher.worker = (start, worker.launcherConnection)
        hosts[host].ableSince = now
        feed(host, .launcherConnected)
        tell(
            host,
            .welcome(
                version: LauncherProtocol.version, bootID: hosts[host].bootID, hostFingerprint: "usr", makesDisks: true,
                instance: variant == .launchersAlike ? "any" : "launcher-\(hosts[host].launcher.start)"))
        for id in hosts[host].launcher.sandboxes.keys.sorted() { list(id, on: host) }
        tell(host, .layers([]))
    }

    /// The launcher does not come back: the worker ends, and is started again by what started it.
    private func loseLauncher(_ host: Int) {
        feed(host, .launcherLost)
        stopWorker(host)
        after(5_000_000, .repair(.startWorker(host: host)))
    }

    private func list(_ id: AttemptID, on host: Int) {
        guard let sandbox = hosts[host].launcher.sandboxes[id] else { return }
        let adopted = LauncherEvent.adopted(id: id.text, startedBoottimeMs: sandbox.startedMs)
        let spools = SpoolSizes(stdout: sandbox.stdout, stderr: sandbox.stderr)
        switch sandbox.phase {
        case .starting: tell(host, .starting(id: id.text))
        case .failed(let failure):
            tell(host, .starting(id: id.text))
            tell(host, .failed(id: id.text, failure: failure))
            hosts[host].launcher.sandboxes[id] = nil
        case .running: tell(host, adopted, spools)
        case .ended(let report):
            tell(host, adopted, spools)
            tell(host, .exited(id: id.text, report: report))
        }
    }

    private func tell(_ host: Int, _ event: LauncherEvent, _ spools: SpoolSizes? = nil) {
        guard let link = hosts[host].launcher.worker, let worker = hosts[host].worker, worker.start == link.start
        else { return }
        deliver(host, link, .launcherSays(connection: link.connection, event, spools))
    }

    private func deliver(_ host: Int, _ link: (start: Int, connection: Int), _ duty: WorkerDuty) {
        let arrival = max((hosts[host].worker?.fromLauncher ?? 0) + 1, now + chance.number(Int64(10)...300))
        hosts[host].worker?.fromLauncher = arrival
        queue.add(.worker(host: host, start: link.start, duty), at: arrival)
    }

    /// - Parameter job: what the plan of a start runs.
    func ask(_ host: Int, _ request: LauncherRequest, job: Int? = nil) {
        // What is written to a connection whose other end is gone is lost.
        let launcher = hosts[host].launcher
        guard let worker = hosts[host].worker, worker.hasLauncher, launcher.isUp,
            launcher.worker?.start == worker.start,
            launcher.worker?.connection == worker.launcherConnection
        else { return }
        let arrival = max((hosts[host].worker?.toLauncher ?? 0) + 1, now + chance.number(Int64(10)...300))
        hosts[host].worker?.toLauncher = arrival
        queue.add(.launcher(host: host, start: launcher.start, .takes(request, job: job)), at: arrival)
    }

    // MARK: Sandboxes

    func launcherActs(_ host: Int, _ start: Int, _ duty: LauncherDuty) {
        guard hosts[host].launcher.start == start else { return }
        switch duty {
        case .takes(let request, let job): take(request, job, on: host)
        case .isSetUp(let id): setUp(id, on: host)
        case .writes(let id, let stdout, let stderr): write(id, stdout, stderr, on: host)
        case .ends(let id, let end, let reason): self.end(id, end, reason, on: host)
        }
    }

    private func take(_ request: LauncherRequest, _ job: Int?, on host: Int) {
        switch request {
        case .start(let text):
            guard let id = AttemptID(text), let job else { return }
            make(id, job, on: host)
        case .cancel(let text, let graceMs):
            guard let id = AttemptID(text) else { return }
            cancel(id, graceMs: Int64(clamping: graceMs), on: host)
        case .release(let text):
            guard let id = AttemptID(text), let sandbox = hosts[host].launcher.sandboxes[id] else { return }
            switch sandbox.phase {
            case .ended, .failed:
                hosts[host].launcher.sandboxes[id] = nil
                checkRelease(of: id, on: host)
            case .starting, .running: break
            }
        default: break
        }
    }

    private func make(_ id: AttemptID, _ job: Int, on host: Int) {
        guard hosts[host].launcher.sandboxes[id] == nil else {
            let failure = SandboxFailure(stage: "plan", errno: 17, message: "a sandbox \(id) exists", kind: .spec)
            return tell(host, .failed(id: id.text, failure: failure))
        }
        hosts[host].launcher.sandboxes[id] = SimulatedSandbox(job: job)
        var delay = chance.number(Int64(2_000)...8_000)
        if chance.one(in: 8) {
            note(.setUpSlowly)
            delay = chance.span(10_000...3_000_000)
        }
        after(delay, .launcher(host: host, start: hosts[host].launcher.start, .isSetUp(id)))
    }

    private func setUp(_ id: AttemptID, on host: Int) {
        guard var sandbox = hosts[host].launcher.sandboxes[id], case .starting = sandbox.phase else { return }
        let plan = scenario.jobs[sandbox.job]
        if sandbox.isCancelled {
            return failStart(
                id,
                SandboxFailure(
                    stage: "start", errno: 0, message: "cancelled before the command was executed", kind: .setup),
                on: host)
        }
        if let kind = plan.startFailure, kind != .setup || chance.one(in: 2) {
            note(kind == .commandNotFound ? .commandNotFound : .startFailed)
            return failStart(id, SandboxFailure(stage: "exec", errno: 2, message: "no such file", kind: kind), on: host)
        }
        sandbox.phase = .running
        sandbox.startedMs = UInt64(clamping: hosts[host].clock.uptimeMs(at: now))
        sandbox.execution = beginExecution(of: id, job: sandbox.job, on: host)
        hosts[host].launcher.sandboxes[id] = sandbox
        tell(host, .started(id: id.text, startedBoottimeMs: sandbox.startedMs), SpoolSizes(stdout: 0, stderr: 0))
        run(id, plan, on: host)
    }

    private func failStart(_ id: AttemptID, _ failure: SandboxFailure, on host: Int) {
        say("launcher \(host) cannot start \(id.short): \(failure.message)")
        if isHeard(host) {
            hosts[host].launcher.sandboxes[id] = nil
            tell(host, .failed(id: id.text, failure: failure))
        } else {
            hosts[host].launcher.sandboxes[id]?.phase = .failed(failure)
        }
    }

    private func isHeard(_ host: Int) -> Bool {
        guard let link = hosts[host].launcher.worker, let worker = hosts[host].worker else { return false }
        return worker.start == link.start && worker.hasLauncher
    }

    /// Schedules what the command does when nobody ends it.
    private func run(_ id: AttemptID, _ plan: JobPlan, on host: Int) {
        let start = hosts[host].launcher.start
        let steps = plan.stdout + plan.stderr == 0 ? 0 : chance.number(1...4)
        for step in 0..<steps {
            let moment = plan.duration > 1_000_000_000 ? Int64(step + 1) * 1_000_000 : plan.duration / Int64(steps + 1)
            let part = Int64(step + 1)
            after(
                moment * (plan.duration > 1_000_000_000 ? 1 : part),
                .launcher(
                    host: host, start: start,
                    .writes(
                        id, stdout: plan.stdout * part / Int64(steps), stderr: plan.stderr * part / Int64(steps))))
        }
        let limit = Int64((plan.spec.timeoutSeconds ?? 300) * 1_000_000)
        if plan.duration <= limit {
            let end = ExitReport.End.exited(code: plan.exitCode)
            after(plan.duration, .launcher(host: host, start: start, .ends(id, end, .none)))
        } else {
            let grace = plan.ignoresTerm ? Int64((plan.spec.graceSeconds ?? 10) * 1_000_000) : 1_000
            let end: ExitReport.End = plan.ignoresTerm ? .killed : .signaled(signal: 15)
            after(limit + grace, .launcher(host: host, start: start, .ends(id, end, .timeout)))
        }
    }

    private func write(_ id: AttemptID, _ stdout: Int64, _ stderr: Int64, on host: Int) {
        guard var sandbox = hosts[host].launcher.sandboxes[id], case .running = sandbox.phase else { return }
        sandbox.stdout = max(sandbox.stdout, stdout)
        sandbox.stderr = max(sandbox.stderr, stderr)
        hosts[host].launcher.sandboxes[id] = sandbox
        guard let link = hosts[host].launcher.worker, isHeard(host) else { return }
        // The spooler's own socket: its word may overtake the launcher's.
        let duty = WorkerDuty.launcherGrew(
            connection: link.connection, id, stdout: sandbox.stdout, stderr: sandbox.stderr)
        after(chance.number(Int64(10)...300), .worker(host: host, start: link.start, duty))
    }

    private func cancel(_ id: AttemptID, graceMs: Int64, on host: Int) {
        guard let sandbox = hosts[host].launcher.sandboxes[id] else { return }
        hosts[host].launcher.sandboxes[id]?.isCancelled = true
        guard case .running = sandbox.phase else { return }
        let plan = scenario.jobs[sandbox.job]
        let isKilled = graceMs == 0 || plan.ignoresTerm
        if plan.ignoresTerm, graceMs > 0 { note(.ignoredTerm) }
        let delay = isKilled ? graceMs * 1_000 + 500 : min(graceMs * 1_000, chance.number(Int64(1_000)...200_000))
        let end: ExitReport.End = isKilled ? .killed : .signaled(signal: 15)
        after(delay, .launcher(host: host, start: hosts[host].launcher.start, .ends(id, end, .cancelled)))
    }

    private func end(_ id: AttemptID, _ end: ExitReport.End, _ reason: ExitReport.Reason, on host: Int) {
        guard var sandbox = hosts[host].launcher.sandboxes[id], case .running = sandbox.phase else { return }
        if reason == .timeout { note(.timedOut) }
        let plan = scenario.jobs[sandbox.job]
        if case .exited = end { (sandbox.stdout, sandbox.stderr) = (plan.stdout, plan.stderr) }
        let report = ExitReport(
            end: end, reason: reason, stdoutBytes: UInt64(sandbox.stdout), stderrBytes: UInt64(sandbox.stderr))
        sandbox.phase = .ended(report)
        hosts[host].launcher.sandboxes[id] = sandbox
        endExecution(sandbox, report)
        tell(host, .exited(id: id.text, report: report))
    }

    // MARK: Its own beginning and end

    func startLauncher(_ host: Int) {
        guard hosts[host].isUp, !hosts[host].launcher.isUp else { return }
        hosts[host].launcher = SimulatedLauncher(start: newStart())
        say("launcher \(host) starts")
    }

    /// PDEATHSIG takes every sandbox along (prctl(2)).
    func crashLauncher(_ host: Int) {
        guard hosts[host].launcher.isUp else { return }
        say("launcher \(host) crashes, with \(hosts[host].launcher.sandboxes.count) sandboxes")
        for id in hosts[host].launcher.sandboxes.keys.sorted() {
            if truth.attempts[id]?.end == nil { truth.lostSpools.insert(id) }
            guard let sandbox = hosts[host].launcher.sandboxes[id], case .running = sandbox.phase else { continue }
            endExecution(sandbox, nil)
        }
        let link = hosts[host].launcher.worker
        hosts[host].launcher = SimulatedLauncher()
        guard let link, hosts[host].worker?.start == link.start else { return }
        deliver(host, link, .launcherIsGone(connection: link.connection))
    }
}
