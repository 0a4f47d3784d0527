import Crypto
import Logging
import NIOCore
import SandpoolAPI
import SandpoolModel
import SandpoolStore

/// What clients do with jobs, whatever the transport.
final class JobService: Sendable {
    private let store: any JobStore
    private let clock: any CoordinatorClock
    private let pool: PoolConfiguration
    private let blobs: BlobStore
    private let core: CoordinatorCore

    /// Most specs in one request.
    static let batchLimit = 1_000

    init(
        store: any JobStore, clock: any CoordinatorClock, pool: PoolConfiguration, blobs: BlobStore,
        core: CoordinatorCore
    ) {
        self.store = store
        self.clock = clock
        self.pool = pool
        self.blobs = blobs
        self.core = core
    }

    /// Stores jobs, all or none, and answers once they are durable.
    ///
    /// - Parameter beforeStart: called with the id that each job gets if it is new, before it is stored and any
    ///   worker can have it.
    func submit(
        _ specs: [JobSpec], beforeStart: (JobID) -> Void = { _ in }
    ) async throws -> [Job] {
        guard specs.count <= Self.batchLimit else {
            throw APIError(
                status: 422, code: "too_many",
                message: "\(specs.count) specs in one request, more than "
                    + "\(Self.batchLimit)", hint: "send them in parts")
        }
        let now = clock.now
        let offers = core.workers.map(WorkerOffer.init)
        var jobs: [NewJob] = []
        jobs.reserveCapacity(specs.count)
        for (index, spec) in specs.enumerated() {
            do {
                jobs.append(try await check(spec, now: now, offers))
            } catch let error as APIError where specs.count > 1 {
                throw APIError(
                    status: error.status, code: error.code, message: "[\(index)] \(error.message)", hint: error.hint)
            }
        }
        guard !jobs.isEmpty else { return [] }
        for job in jobs { beforeStart(job.id) }
        switch try await commit(jobs, now: now) {
        case .conflict(let index, let existing):
            throw APIError(
                status: 409, code: "idempotency_conflict",
                message: "idempotencyKey '\(jobs[index].spec.idempotencyKey ?? "")' belongs to \(existing), "
                    + "which has another spec",
                hint: "use another key, or send the same spec")
        case .stored(let stored):
            return try await announce(stored, jobs, now: now)
        }
    }

    /// Stores jobs. Where nobody can say whether they were stored, the scheduler looks for them all the same.
    private func commit(_ jobs: [NewJob], now: Timestamp) async throws -> SubmitOutcome {
        do {
            return try await store.submit(jobs, now: now)
        } catch {
            if Failure(error).isAmbiguous {
                core.feed(.submitted(deadlines: jobs.compactMap { $0.queueDeadline(from: now) }))
            }
            throw error
        }
    }

    private func announce(
        _ stored: [SubmittedJob], _ jobs: [NewJob], now: Timestamp
    ) async throws -> [Job] {
        // First: what follows may fail, or end with a client that has gone, and the jobs are there.
        let new = zip(stored, jobs).filter { submitted, _ in submitted.isNew }
        core.feed(.submitted(deadlines: new.compactMap { _, job in job.queueDeadline(from: now) }))
        var answer: [Job] = []
        answer.reserveCapacity(stored.count)
        for (submitted, job) in zip(stored, jobs) {
            if submitted.isNew {
                answer.append(Job(new: job, createdAt: now))
            } else {
                answer.append(try await self.job(submitted.id))
            }
        }
        return answer
    }

    private func check(_ spec: JobSpec, now: Timestamp, _ offers: [WorkerOffer]) async throws -> NewJob {
        let complete: JobSpec
        do { complete = try pool.accept(spec) } catch { throw APIError(error) }
        for (index, mount) in complete.mounts.enumerated() where try await !blobs.claim(mount.blob) {
            throw APIError(
                status: 422, code: "missing_blob", message: "mounts[\(index)].blob: \(mount.blob) was not uploaded",
                hint: "upload the archive with POST /v1/blobs first")
        }
        let resources = Resources(complete.resources)
        if let problem = Feasibility.problem(of: complete, resources: resources, with: offers) {
            throw APIError(status: 422, code: "no_worker_fits", message: problem.message, hint: problem.hint)
        }
        return NewJob(
            id: .make(at: now), spec: complete, resources: resources,
            fingerprint: complete.idempotencyKey == nil ? "" : SHA256.hash(data: spec.fingerprint).hexText)
    }

    // MARK: Reading

    func job(_ id: JobID) async throws -> Job {
        guard let job = try await store.job(id) else { throw APIError.notFound("job \(id)") }
        return job
    }

    func resolve(_ reference: String) async throws -> JobID {
        let parsed: JobReference
        do { parsed = try JobReference(reference) } catch {
            throw APIError(status: 404, code: "not_found", message: error.message, hint: error.hint)
        }
        switch try await store.resolve(parsed) {
        case .found(let id): return id
        case .notFound:
            throw APIError.notFound("job '\(TerminalText.harmless(reference, limit: 64))'")
        case .ambiguous(let ids):
            throw APIError(
                status: 409, code: "ambiguous",
                message: "'\(TerminalText.harmless(reference, limit: 64))' names more than one job: "
                    + ids.map { $0.text }.joined(separator: ", "),
                hint: "use more digits of the id")
        }
    }

    func list(_ query: JobQuery) async throws -> [Job] { try await store.jobs(query) }

    func downloads(of job: JobID) async throws -> String? { try await store.downloads(of: job) }

    // MARK: Acting

    func cancel(_ id: JobID) async throws {
        switch await core.run(.cancel(id)) {
        case .done: break
        case .notFound: throw APIError.notFound("job \(id)")
        case .failed(let failure): throw failure.error
        }
    }

    /// Sends a signal to a running command.
    func signal(_ id: JobID, _ number: Int) async throws {
        guard (1...64).contains(number) else {
            throw APIError(
                status: 422, code: "invalid_signal", message: "signal: \(number) is not a signal's number",
                hint: "use 1 to 64, such as 2 for SIGINT")
        }
        guard let attempt = core.attempt(of: id) else {
            let state = try await job(id).state.rawValue
            throw APIError(status: 409, code: "not_running", message: "job \(id) is \(state): nothing takes a signal")
        }
        try session(of: attempt).send(.signal(AttemptLease(attempt.lease), signal: number))
    }

    /// The attempt whose command runs, and its worker's session.
    ///
    /// - Throws: 409 with the code `APIError.notStartedCode` or `APIError.startingCode` where it does not run yet.
    func running(_ id: JobID) async throws -> (RunningAttempt, WorkerLink) {
        if let attempt = core.attempt(of: id), attempt.state == .running {
            return (attempt, try session(of: attempt))
        }
        let state = try await job(id).state
        guard !state.isTerminal else {
            throw APIError(
                status: 409, code: "not_running", message: "job \(id) is \(state.rawValue): its sandbox is gone",
                hint: "start another one")
        }
        let isQueued = state == .queued
        throw APIError(
            status: 409, code: isQueued ? APIError.notStartedCode : APIError.startingCode,
            message: "job \(id) is \(isQueued ? "queued" : "starting"): its sandbox does not run yet",
            hint: "try again when it does; 'sandpool why \(id.short)' says what it waits for")
    }

    private func session(of attempt: RunningAttempt) throws(APIError) -> WorkerLink {
        guard let session = core.session(of: attempt.lease.worker) else {
            throw APIError(
                status: 409, code: "worker_away",
                message: "worker \(attempt.lease.worker) of job \(attempt.job) is not connected",
                hint: "try again later")
        }
        return session
    }
}

extension NewJob {
    /// When its queue timeout ends, stored at `now`; `nil` without one.
    fileprivate func queueDeadline(from now: Timestamp) -> Timestamp? {
        spec.queueTimeoutSeconds.map { now.advanced(by: .seconds($0)) }
    }
}

extension Job {
    /// A job as it was just stored.
    fileprivate init(new job: NewJob, createdAt: Timestamp) {
        self.init(
            id: job.id, name: job.spec.name, tags: job.spec.tags, state: .queued, command: job.spec.command,
            image: job.spec.image, spec: job.spec, createdAt: createdAt)
    }
}

extension Resources {
    /// What a complete spec takes of a worker. Parts of a thousandth CPU count as a whole one.
    init(_ request: ResourceRequest) {
        self.init(
            cpuMillis: Int64(((request.cpus ?? 0) * 1_000).rounded(.up)), memoryBytes: request.memoryBytes ?? 0,
            diskBytes: request.diskBytes ?? 0)
    }
}
