import SandpoolModel
import SandpoolStore

extension MemoryStore {
    package func claimable(limit: Int, after position: QueuePosition?) throws -> [QueuedJob] {
        try Bounds.check(limit: limit)
        return queue.filter { job in position.map { $0 < job.position } ?? true }.prefix(limit).map(queued)
    }

    package func demands(limit: Int, after demand: String?) throws -> [QueuedJob] {
        try Bounds.check(limit: limit)
        let heads = Dictionary(queue.map { ($0.demand, $0) }) { first, _ in first }
        let next = heads.keys.filter { $0 > demand ?? "" }.sorted().prefix(limit)
        return next.compactMap { heads[$0] }.map(queued)
    }

    package func claimable(limit: Int, of demand: String) throws -> [QueuedJob] {
        try Bounds.check(limit: limit)
        return queue.filter { $0.demand == demand }.prefix(limit).map(queued)
    }

    /// What may start, in its order.
    private var queue: [MemoryJob] { jobs.values.filter(\.isClaimable).sorted { $0.position < $1.position } }

    private func queued(_ job: MemoryJob) -> QueuedJob {
        // Attempts that were given back unstarted have no outcome, and say nothing against their worker.
        let tried = job.attempts.compactMap { attempts[$0] }.filter { $0.outcome != nil }.map(\.lease.worker)
        return QueuedJob(
            id: job.new.id, position: job.position, resources: job.new.resources, require: job.new.spec.require,
            image: job.new.spec.image, demand: job.demand, createdAt: job.createdAt, triedWorkers: Array(Set(tried)))
    }

    package mutating func lease(_ requests: [LeaseRequest], now: Timestamp) throws -> [LeaseAnswer] {
        try Bounds.check(count: requests.count, of: "leases")
        return requests.map { request in
            guard let worker = enrolled[request.worker], worker.drain == nil else { return .workerUnavailable }
            guard var job = jobs[request.job], job.isClaimable else { return .notClaimable }
            job.epoch += 1
            job.state = .starting
            job.attempts.append(request.attempt)
            jobs[request.job] = job
            let lease = LeaseKey(attempt: request.attempt, epoch: job.epoch, worker: request.worker)
            attempts[request.attempt] = MemoryAttempt(
                lease: lease, job: request.job, createdAt: now, bootID: worker.registration.bootID)
            return .leased(lease, spec: job.new.spec)
        }
    }

    package mutating func advanceQueue(now: Timestamp) throws -> QueueAdvance {
        let queued = order.compactMap { jobs[$0] }.filter { $0.state == .queued }
        let due = queued.filter { $0.queueDeadline.map { $0 <= now } ?? false }.map(\.new.id)
        let expired = Array(due.prefix(StoreLimits.batch))
        for id in expired { jobs[id]?.finish(Conclusion.expired, at: now) }
        let latest = now.advanced(by: RetryLimits.longestDelay)
        let waking = queued.map(\.new.id).filter { id in
            guard let job = jobs[id], job.state == .queued, let notBefore = job.notBefore else { return false }
            return notBefore <= now || notBefore > latest
        }
        let released = waking.prefix(StoreLimits.batch)
        for id in released { jobs[id]?.notBefore = nil }
        return QueueAdvance(expired: expired, released: released.count)
    }

    package func nextQueueDeadline() throws -> Timestamp? {
        return jobs.values.filter { $0.state == .queued }.flatMap { [$0.queueDeadline, $0.notBefore] }
            .compactMap { $0 }.min()
    }

    package mutating func cancel(_ id: JobID, now: Timestamp) throws -> CancelAnswer {
        guard let job = jobs[id] else { return .notFound }
        if job.state.isTerminal { return .finished(job.state) }
        guard job.state != .queued, let live = job.attempts.last.flatMap({ attempts[$0] }) else {
            jobs[id]?.finish(Conclusion.cancelledUnstarted, at: now)
            return .cancelled
        }
        jobs[id]?.isCancelRequested = true
        return .requested(live.lease)
    }
}
