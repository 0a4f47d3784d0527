import SandpoolCoordinator
import SandpoolModel
import SandpoolStore

/// The store on its disk: reads at any time, writes in group commits as `CommitQueue` makes them.
extension Simulation {
    func begin(_ call: StoreCall, of conversation: Conversation) {
        guard let process = coordinator.process else { return }
        let called = coordinator.clock.wall(at: now)
        // A worker that comes back while this is on its way is told to end what it has.
        if case .recordLosses = call { silences = hosts.map { now - $0.heardAt } }
        switch call {
        case .page, .demands, .draw, .nextQueueDeadline, .liveAttempts:
            after(
                chance.number(Int64(20)...400), .coordinator(start: process.start, .reads(conversation, call, called)))
        case .flush(let streams):
            after(diskTime, .coordinator(start: process.start, .flushes(conversation, streams)))
        default: add(.call(conversation, call, now: called))
        }
    }

    /// At once when idle; what comes during a commit goes into the next one.
    func add(_ write: StoreWrite) {
        coordinator.process?.waiting.append(write)
        if coordinator.process?.committing.isEmpty ?? false { beginCommit() }
    }

    private func beginCommit() {
        guard let process = coordinator.process, !process.waiting.isEmpty else { return }
        coordinator.process?.committing = process.waiting
        coordinator.process?.waiting = []
        after(diskTime, .coordinator(start: process.start, .commit))
    }

    /// What is committed is durable from here on, whether or not anybody is told.
    func commit() {
        guard let process = coordinator.process else { return }
        let writes = process.committing
        coordinator.process?.committing = []
        let fails = chance.one(in: coordinator.failureOdds)
        if writes.count > 1 { note(.commitTogether) }
        var duties: [Happening] = []
        for write in writes {
            if let duty = outcome(of: write, fails: fails, start: process.start) { duties.append(duty) }
        }
        if variant == .commitAnsweredEarly {
            if coordinator.syncedStore == nil || chance.one(in: 20) { coordinator.syncedStore = coordinator.store }
        }
        let delay = chance.number(Int64(10)...300)
        for duty in duties { after(delay, duty) }
        beginCommit()
    }

    private func outcome(of write: StoreWrite, fails: Bool, start: Int) -> Happening? {
        switch write {
        case .call(let conversation, let call, let called):
            do {
                let answer = try perform(call, by: conversation, now: called, fails: fails)
                return .coordinator(start: start, .feed(.answered(conversation, answer)))
            } catch {
                return .coordinator(start: start, .feed(.failed(conversation, .store(error))))
            }
        case .submit(let job, let called):
            do {
                let submitted = try submit(job, now: called, fails: fails)
                return .client(job: job, .isStored(submitted.id, isNew: submitted.isNew, start: start, called))
            } catch {
                return nil
            }
        }
    }

    /// What is read may have changed by the time it is told.
    func read(_ conversation: Conversation, _ call: StoreCall, _ called: Timestamp) {
        guard let start = coordinator.process?.start else { return }
        let event: CoordinatorState.Event
        do {
            event = .answered(conversation, try perform(call, by: conversation, now: called, fails: false))
        } catch {
            event = .failed(conversation, .store(error))
        }
        after(chance.number(Int64(10)...300), .coordinator(start: start, .feed(event)))
    }

    private func submit(_ job: Int, now called: Timestamp, fails: Bool) throws(StoreError) -> SubmittedJob {
        if fails, chance.one(in: 2) { throw failure() }
        if coordinator.isDiskFull { throw .diskFull("there is room for what ends work alone") }
        let spec = stored(scenario.jobs[job].spec)
        let resources = Resources(
            cpuMillis: 1_000, memoryBytes: spec.resources.memoryBytes ?? 0, diskBytes: spec.resources.diskBytes ?? 0)
        let new = NewJob(id: chance.id(at: called), spec: spec, resources: resources, fingerprint: "spec-\(job)")
        do {
            guard case .stored(let stored) = try coordinator.store.submit([new], now: called), let first = stored.first
            else { throw StoreError.invalid("a key's job has another spec") }
            if first.isNew { noteStored(first.id, job: job) }
            if fails { throw failure() }
            return first
        } catch {
            throw error as? StoreError ?? .invalid("\(error)")
        }
    }

    private func failure() -> StoreError {
        note(.storeFailed)
        return .io("disk I/O error")
    }

    /// What work begins with is refused while the disk is full; what ends it finds room (`ReservingStore`).
    private func perform(
        _ call: StoreCall, by conversation: Conversation, now called: Timestamp, fails: Bool
    ) throws(StoreError) -> StoreAnswer {
        // An error of the disk leaves open whether the commit is on it.
        if fails, chance.one(in: 2) { throw failure() }
        if coordinator.isDiskFull, case .lease = call { throw .diskFull("there is room for what ends work alone") }
        do {
            let answer = try answer(call, now: called)
            observe(call, answer, by: conversation)
            if fails { throw failure() }
            return answer
        } catch {
            throw error as? StoreError ?? .invalid("\(error)")
        }
    }

    private func answer(_ call: StoreCall, now called: Timestamp) throws -> StoreAnswer {
        switch call {
        case .page(let limit, let position):
            return .jobs(try coordinator.store.claimable(limit: limit, after: position))
        case .demands(let limit, let demand): return .jobs(try coordinator.store.demands(limit: limit, after: demand))
        case .draw(let demands, let limit):
            return .lines(try demands.map { try coordinator.store.claimable(limit: limit, of: $0) })
        case .lease(let placements):
            let requests = placements.map {
                LeaseRequest(job: $0.job, attempt: chance.id(at: called), worker: $0.worker)
            }
            return .leased(try coordinator.store.lease(requests, now: called))
        case .advanceQueue: return .advanced(try coordinator.store.advanceQueue(now: called))
        case .nextQueueDeadline: return .deadline(try coordinator.store.nextQueueDeadline())
        case .cancel(let job):
            defer { forgetCancel(of: job) }
            return .cancelled(try coordinator.store.cancel(job, now: called))
        case .recordProgress(let reports):
            return .verdicts(try coordinator.store.recordProgress(reports, now: called))
        case .liveAttempts(let worker): return .live(try coordinator.store.liveAttempts(worker: worker))
        case .setUnreachable(let worker, let isUnreachable):
            try coordinator.store.setUnreachable(worker: worker, since: isUnreachable ? called : nil)
            return .done
        case .upsertWorker(let registration, let token):
            return .enrolled(try coordinator.store.upsertWorker(registration, token: token, now: called))
        case .flush: return .flushed([])
        case .recordResults(let reports):
            breakFence(for: reports)
            return .ends(try coordinator.store.recordResults(reports, now: called))
        case .returnLeases(let leases): return .ends(try coordinator.store.returnLeases(leases, now: called))
        case .recordLosses(let losses): return .ends(try coordinator.store.recordLosses(losses, now: called))
        case .setDrain(let drain, let worker): return .known(try coordinator.store.setDrain(drain, worker: worker))
        case .setQuarantine(let quarantine, let worker):
            note(quarantine == nil ? .quarantineEnded : .quarantined)
            return .known(try coordinator.store.setQuarantine(quarantine, worker: worker))
        case .forgetWorker(let worker): return .known(try coordinator.store.forgetWorker(worker, now: called))
        }
    }
}
