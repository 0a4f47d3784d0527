import NIOCore
import SandpoolAPI
import SandpoolModel
import SandpoolSandbox
import SandpoolWorker

/// The workers' processes: what a worker's driver does for its state.
extension Simulation {
    func moment(_ host: Int) -> Moment {
        Moment(wall: hosts[host].clock.wall(at: now), uptimeMs: hosts[host].clock.uptimeMs(at: now))
    }

    // MARK: Beginning and end

    func boot(_ host: Int) {
        guard !hosts[host].isUp else { return }
        hosts[host].isUp = true
        hosts[host].boots += 1
        hosts[host].renewal = nil
        hosts[host].clock.boot(at: now)
        say("host \(host) boots: \(hosts[host].bootID)")
        startLauncher(host)
        startWorker(host)
    }

    func startWorker(_ host: Int) {
        guard hosts[host].isUp, hosts[host].worker == nil else { return }
        let start = newStart()
        let settings = WorkerState.Settings(
            worker: hosts[host].id, name: hosts[host].name, capacity: SimulatedHost.capacity,
            bootID: hosts[host].bootID, process: "worker-\(start)")
        let records = variant == .adoptionSkipped ? [] : hosts[host].disk.savedRecords
        let results = hosts[host].disk.pending
        for _ in results { note(.resultReplayed) }
        hosts[host].unsettled = []
        let state = WorkerState(
            settings, records: records, results: results, renewal: hosts[host].renewal, at: moment(host))
        hosts[host].worker = WorkerProcess(start: start, state: state)
        hosts[host].worker?.replayed = Set(results.map(\.lease))
        hosts[host].losses = 0
        say("worker \(host) starts as \(start), with \(records.count) records and \(results.count) results")
        after(chance.number(Int64(1_000)...50_000), .worker(host: host, start: start, .connectToLauncher))
    }

    /// The process is gone at once; what it had handed to its kernel goes on.
    func crashWorker(_ host: Int, isTold: Bool = true) {
        guard let worker = hosts[host].worker else { return }
        say("worker \(host) is gone")
        // Lines that a write was under way for may have got that far.
        if !worker.journal.isWritten, chance.one(in: 2) { hosts[host].disk.append(worker.journal.writing) }
        endWorker(host, worker, isTold: isTold)
    }

    /// It ends in order: what waits for the journal is written (`WorkerCore.close`).
    func stopWorker(_ host: Int) {
        guard let worker = hosts[host].worker else { return }
        say("worker \(host) stops")
        if !hosts[host].isDiskFull {
            let writing = worker.journal.isWritten ? [] : worker.journal.writing
            hosts[host].disk.append(writing + worker.journal.waiting)
            hosts[host].disk.sync(lines: hosts[host].disk.journal.count)
        }
        endWorker(host, worker, isTold: true)
    }

    private func endWorker(_ host: Int, _ worker: WorkerProcess, isTold: Bool) {
        if let connection = worker.connection { closeAtWorker(connection, isTold: isTold) }
        hosts[host].worker = nil
        hosts[host].ableSince = nil
    }

    // MARK: Duties

    func workerActs(_ host: Int, _ start: Int, _ duty: WorkerDuty) {
        guard let worker = hosts[host].worker, worker.start == start else { return }
        guard worker.frozenUntil <= now else {
            return queue.add(.worker(host: host, start: start, duty), at: worker.frozenUntil)
        }
        switch duty {
        case .feed(let event): feed(host, event)
        case .prepared(let lease, let root): prepared(host, lease, root)
        case .launcherSays(let connection, let event, let spools):
            guard connection == worker.launcherConnection, worker.hasLauncher else { return }
            if case .adopted = event { note(.adopted) }
            feed(host, .launcher(event, spools: spools))
            // No session before it is known what there is (`Worker.run`).
            guard case .layers = event, !worker.hasListed, hosts[host].worker?.start == start else { return }
            hosts[host].worker?.hasListed = true
            after(chance.number(Int64(1_000)...20_000), .worker(host: host, start: start, .connect))
        case .launcherGrew(let connection, let id, let stdout, let stderr):
            guard connection == worker.launcherConnection, worker.hasLauncher else { return }
            feed(host, .spoolsGrew(id, stdout: stdout, stderr: stderr))
        case .launcherIsGone(let connection):
            guard connection == worker.launcherConnection, worker.hasLauncher else { return }
            hosts[host].worker?.hasLauncher = false
            hosts[host].ableSince = nil
            feed(host, .launcherGone)
            after(chance.number(Int64(1_000)...200_000), .worker(host: host, start: start, .connectToLauncher))
        case .connectToLauncher: if !worker.hasLauncher { connectToLauncher(host) }
        case .connect: connect(host)
        case .isRefused(let session): isRefused(host, session)
        case .giveUp(let session): giveUp(host, session)
        case .checkSilence(let session): checkSilence(host, session)
        case .write: write(host)
        case .journalIsWritten: journalIsWritten(host)
        case .journalIsSynced: journalIsSynced(host)
        }
    }

    /// One step of the worker, and everything it asks for, unless the process ends in the middle of that.
    func feed(_ host: Int, _ event: WorkerState.Event) {
        guard let start = hosts[host].worker?.start else { return }
        if variant == .ownKillMissing, case .fired(.silence) = event { return }
        say("worker \(host) <- \(event)")
        let moment = moment(host)
        let effects = hosts[host].worker?.state.step(event, at: moment) ?? []
        for effect in effects {
            guard hosts[host].worker?.start == start else { return }
            guard comesAsFar(host) else { return }
            perform(effect, on: host)
        }
    }

    /// Whether the process goes on to the next thing that it does for its state.
    private func comesAsFar(_ host: Int) -> Bool {
        guard let left = hosts[host].worker?.effectsLeft else { return true }
        guard left == 0 else {
            hosts[host].worker?.effectsLeft = left - 1
            return true
        }
        if chance.one(in: 4) {
            crashHost(host)
        } else {
            note(.workerCrashed)
            crashWorker(host)
            after(chance.span(100_000...60_000_000), .repair(.startWorker(host: host)))
        }
        return false
    }

    private func perform(_ effect: WorkerState.Effect, on host: Int) {
        if case .wakeWriter = effect {} else { say("worker \(host) -> \(effect)") }
        switch effect {
        case .ask(let request): ask(host, request)
        case .prepare(let assignment): prepare(assignment, on: host)
        case .start(let record, let assignment, _): start(record, assignment, on: host)
        case .upload(let lease): upload(lease, on: host)
        case .journal(let result, let stdout, let stderr):
            if result.outcome.message == Outcome.neverAsked.message { note(.neverAsked) }
            journal(result, stdout, stderr, on: host)
        case .settle(let lease): addToJournal(.settled(lease), on: host)
        case .forget(let lease, let layers, _):
            hosts[host].disk.removeRecord(of: lease.attempt)
            hosts[host].worker?.layers -= layers.count
        case .useLayers(let layers): hosts[host].worker?.layers += layers.count
        case .freeLayers(let layers): hosts[host].worker?.layers -= layers.count
        case .saveRenewal(let renewal):
            hosts[host].renewal = renewal
            // A worker that was frozen takes an answer long after it asked.
            hosts[host].notedAt = now - (moment(host).uptimeMs - renewal.sentMs) * 1_000
        case .wakeWriter: wakeWriter(host)
        case .wake(let delayMs, let timer): wake(host, delayMs, timer)
        case .log: break
        }
    }

    private func wake(_ host: Int, _ delayMs: Int64, _ timer: WorkerState.Timer) {
        guard let start = hosts[host].worker?.start else { return }
        let delay = hosts[host].clock.world(ms: delayMs) + 1_000
        var late: Int64 = 0
        if !isCalm, chance.one(in: scenario.timerOdds) {
            if chance.one(in: 2) {
                note(.timerTwice)
                after(delay + chance.span(1_000...1_000_000), .worker(host: host, start: start, .feed(.fired(timer))))
            } else {
                note(.timerLate)
                late = chance.span(1_000...1_000_000)
            }
        }
        after(delay + late, .worker(host: host, start: start, .feed(.fired(timer))))
    }

    private func feedSoon(_ host: Int, _ event: WorkerState.Event, within longest: Int64) {
        guard let start = hosts[host].worker?.start else { return }
        after(chance.span(10...longest), .worker(host: host, start: start, .feed(event)))
    }

    private func upload(_ lease: AttemptLease, on host: Int) {
        note(.uploaded)
        let isRefused = !isCalm && chance.one(in: 4)
        let digest = "sha256:" + String(repeating: "0", count: 64)
        feedSoon(
            host, .uploaded(lease, digest: isRefused ? nil : digest, message: isRefused ? "the upload failed" : nil),
            within: 10_000_000)
    }

    // MARK: Beginning attempts

    private func prepare(_ assignment: Assignment, on host: Int) {
        guard let index = jobIndex(assignment.job), let start = hosts[host].worker?.start else { return }
        let plan = scenario.jobs[index]
        let root = PreparedRoot(root: .scratch, layers: ["layer-\(index)"])
        guard plan.preparation > 0 else {
            return after(0, .worker(host: host, start: start, .prepared(assignment.lease, root)))
        }
        after(0, .worker(host: host, start: start, .feed(.preparing(assignment.lease))))
        if chance.one(in: 3) {
            after(plan.preparation / 2, .worker(host: host, start: start, .feed(.building(assignment.lease))))
        }
        guard chance.one(in: 6) else {
            return after(plan.preparation, .worker(host: host, start: start, .prepared(assignment.lease, root)))
        }
        let outcome = Outcome(cause: .fetchFailed, message: "the registry is away", commandStarted: false)
        after(
            plan.preparation,
            .worker(
                host: host, start: start,
                .feed(
                    .preparationFailed(assignment.lease, outcome))))
    }

    /// The preparer counts the layers that it hands over.
    func prepared(_ host: Int, _ lease: AttemptLease, _ root: PreparedRoot) {
        hosts[host].worker?.layers += root.layers.count
        if now - hosts[host].renewedAt > scenario.timings.lease.wholeMilliseconds * 1_000 { note(.expiredLease) }
        feed(host, .prepared(lease, root))
    }

    private func start(_ record: AttemptRecord, _ assignment: Assignment, on host: Int) {
        checkStart(of: assignment, on: host)
        guard !hosts[host].isDiskFull else {
            return feedSoon(host, .startFailed(assignment.lease, "no space left on device"), within: 20)
        }
        if variant != .recordNotSaved { hosts[host].disk.save(record, of: assignment.lease.attempt) }
        guard comesAsFar(host) else { return }
        ask(host, .start(id: assignment.lease.attempt.text), job: jobIndex(assignment.job))
    }
}
