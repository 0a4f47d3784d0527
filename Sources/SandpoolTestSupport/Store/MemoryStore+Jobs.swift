import SandpoolModel
import SandpoolStore

extension MemoryStore {
    package mutating func submit(_ new: [NewJob], now: Timestamp) throws -> SubmitOutcome {
        try Bounds.check(count: new.count, of: "jobs")
        var holders: [String: NewJob] = [:]
        for job in jobs.values { if let key = job.new.spec.idempotencyKey { holders[key] = job.new } }
        var fresh: [NewJob] = []
        var submitted: [SubmittedJob] = []
        for (index, job) in new.enumerated() {
            if let key = job.spec.idempotencyKey, let holder = holders[key] {
                guard holder.fingerprint == job.fingerprint else {
                    return .conflict(index: index, existing: holder.id)
                }
                submitted.append(SubmittedJob(id: holder.id, isNew: false))
            } else {
                if let key = job.spec.idempotencyKey { holders[key] = job }
                fresh.append(job)
                submitted.append(SubmittedJob(id: job.id, isNew: true))
            }
        }
        for job in fresh {
            order.append(job.id)
            jobs[job.id] = MemoryJob(
                sequence: Int64(order.count), new: job, createdAt: now,
                queueDeadline: job.spec.queueDeadline(from: now))
        }
        return .stored(submitted)
    }

    package func job(_ id: JobID) throws -> Job? {
        return jobs[id].map(read)
    }

    package func jobs(_ query: JobQuery) throws -> [Job] {
        try Bounds.check(limit: query.limit)
        let matching = order.reversed().compactMap { jobs[$0] }.filter { job in
            (query.states.isEmpty || query.states.contains(job.state))
                && query.tags.allSatisfy { job.new.spec.tags[$0.key] == $0.value }
        }
        return matching.prefix(query.limit).map(read)
    }

    package func resolve(_ reference: JobReference) throws -> Resolution {
        switch reference {
        case .last: return order.last.map(Resolution.found) ?? .notFound
        case .id(let id): return jobs[id] == nil ? .notFound : .found(id)
        case .named(let name, let suffix):
            if let id = order.last(where: { jobs[$0]?.new.spec.name == name }) { return .found(id) }
            guard let suffix else { return .notFound }
            let matches = jobs.keys.filter { $0.text.hasSuffix(suffix) }.sorted(by: >)
            return Resolution(ofSuffixMatches: Array(matches.prefix(StoreLimits.ambiguousMatches)))
        }
    }

    package func counts() throws -> [JobState: Int] {
        return jobs.values.reduce(into: [:]) { $0[$1.state, default: 0] += 1 }
    }

    private func read(_ job: MemoryJob) -> Job {
        let spec = job.new.spec
        let tries = job.attempts.compactMap { attempts[$0] }.map { attempt in
            Attempt(
                id: attempt.lease.attempt, worker: attempt.lease.worker, epoch: attempt.lease.epoch,
                state: attempt.state, outcome: attempt.outcome, evidence: attempt.evidence,
                createdAt: attempt.createdAt, startedAt: attempt.startedAt, finishedAt: attempt.finishedAt)
        }
        return Job(
            id: job.new.id, name: spec.name, tags: spec.tags, state: job.state, returnCode: job.outcome?.returnCode,
            exitCode: job.outcome?.exitCode, signal: job.outcome?.signal, cause: job.outcome?.cause,
            fault: job.outcome?.cause.fault, message: job.outcome?.message, command: spec.command, image: spec.image,
            worker: tries.last?.worker, attempts: tries, spec: spec, createdAt: job.createdAt,
            startedAt: job.startedAt, finishedAt: job.finishedAt)
    }
}
