import SandpoolModel
import SandpoolStore
import Testing

extension Timestamp {
    /// When every test begins.
    static let origin = Timestamp(milliseconds: 1_800_000_000_000)

    /// Seconds after the begin of the test.
    static func at(_ seconds: Double) -> Timestamp { origin.advanced(by: .seconds(seconds)) }
}

extension Resources {
    static let small = Resources(cpuMillis: 1_000, memoryBytes: 1 << 30, diskBytes: 1 << 29)
}

extension NewJob {
    static func sample(
        key: String? = nil, fingerprint: String = "one", _ change: (inout JobSpec) -> Void = { _ in }
    ) -> NewJob {
        var spec = JobSpec(command: ["true"])
        spec.idempotencyKey = key
        change(&spec)
        return NewJob(id: .make(at: .origin), spec: spec, resources: .small, fingerprint: fingerprint)
    }
}

extension WorkerRegistration {
    static func sample(
        id: WorkerID = .make(at: .origin), name: String = "one", bootID: String = "boot-1"
    ) -> WorkerRegistration {
        WorkerRegistration(
            id: id, name: name, labels: ["zone": "a"], capacity: .small, images: ["debian:12"],
            offersHostImage: true, bootID: bootID, softwareVersion: "0.1.0", makesDisks: false)
    }
}

extension TokenRecord {
    static func sample(role: TokenRole, worker: WorkerID? = nil) -> TokenRecord {
        let id = TokenID.make(at: .origin)
        return TokenRecord(id: id, name: "t", role: role, worker: worker, hash: "\(id)\(id)", createdAt: .origin)
    }
}

extension Outcome {
    static let success = Outcome(cause: .exited, exitCode: 0)
    static let failure = Outcome(cause: .exited, exitCode: 3)
    static let setupFailed = Outcome(cause: .setupFailed, message: "mount: no space", commandStarted: false)
    static let lostRunning = Outcome(cause: .workerLost, commandStarted: true)
}

extension ResultReport {
    static func sample(
        _ lease: LeaseKey, _ outcome: Outcome = .success, tails: [InlineOutput] = [], downloads: String? = nil
    ) -> ResultReport {
        var evidence = Evidence()
        evidence.reapedBy = "init"
        evidence.wallMs = 12
        evidence.stagesMs = ["setup": 5]
        return ResultReport(
            lease: lease, outcome: outcome, evidence: evidence, startedAt: .at(2), finishedAt: .at(3), tails: tails,
            downloads: downloads)
    }
}

extension JobStore {
    /// Stores jobs and returns their ids.
    @discardableResult
    func add(_ jobs: NewJob..., at now: Timestamp = .origin) async throws -> [JobID] {
        guard case .stored(let submitted) = try await submit(jobs, now: now) else {
            Issue.record("a conflict where none was expected")
            return []
        }
        return submitted.map(\.id)
    }

    func enrol(_ registration: WorkerRegistration = .sample()) async throws -> WorkerID {
        try await upsertWorker(registration, token: nil, now: .origin).registration.id
    }

    /// Gives one job to a worker.
    func hold(_ job: JobID, by worker: WorkerID, at now: Timestamp = .at(1)) async throws -> LeaseKey {
        let request = LeaseRequest(job: job, attempt: .make(at: now), worker: worker)
        let answer = try #require(try await lease([request], now: now).first)
        guard case .leased(let lease, _) = answer else {
            Issue.record("\(job) was not leased: \(answer)")
            return LeaseKey(attempt: request.attempt, epoch: 0, worker: worker)
        }
        return lease
    }

    /// Gives one job to a worker, which starts its command.
    func run(_ job: JobID, by worker: WorkerID, at now: Timestamp = .at(1)) async throws -> LeaseKey {
        let lease = try await hold(job, by: worker, at: now)
        let verdicts = try await recordProgress([ProgressReport(lease: lease, step: .started, at: now)], now: now)
        #expect(verdicts == [.recorded])
        return lease
    }

    func end(_ lease: LeaseKey, _ outcome: Outcome = .success, at now: Timestamp = .at(3)) async throws -> EndAnswer {
        try #require(try await recordResults([.sample(lease, outcome)], now: now).first)
    }

    func existing(_ id: JobID) async throws -> Job { try #require(try await job(id)) }
}
