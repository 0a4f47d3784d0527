import SandpoolAPI
import SandpoolModel
import SandpoolStore

/// An attempt that a worker holds, as the coordinator remembers it.
package struct RunningAttempt: Sendable {
    package var lease: LeaseKey
    package var job: JobID
    package var spec: JobSpec
    package var resources: Resources
    package var state: AttemptState
    /// When it was leased, or the coordinator started; by the uptime clock.
    package var since: Duration
    package var isCancelRequested = false
    /// How much of its output is known to be durable.
    package var durableStdout: Int64 = 0
    package var durableStderr: Int64 = 0

    func stream(_ code: OutputStreamCode) -> OutputStreamID {
        OutputStreamID(job: job, attempt: lease.attempt, code: code)
    }
}

extension RunningAttempt {
    init(_ attempt: LiveAttempt, since: Duration) {
        self.init(
            lease: attempt.lease, job: attempt.job, spec: attempt.spec, resources: attempt.resources,
            state: attempt.state, since: since, isCancelRequested: attempt.cancelRequested)
    }
}

/// The attempts that are not terminal, by their own id, their job's and their worker's. The store is the truth; this
/// is what routes frames without asking it.
struct RunningAttempts: Sendable {
    private var attempts: [AttemptID: RunningAttempt] = [:]
    private var jobs: [JobID: AttemptID] = [:]
    private var workers: [WorkerID: Set<AttemptID>] = [:]

    subscript(id: AttemptID) -> RunningAttempt? { attempts[id] }

    subscript(of job: JobID) -> RunningAttempt? { jobs[job].flatMap { attempts[$0] } }

    /// The attempt that is held under just this lease: another worker's claim about it must not touch it.
    subscript(lease: LeaseKey) -> RunningAttempt? { attempts[lease.attempt].flatMap { $0.lease == lease ? $0 : nil } }

    /// Oldest first.
    subscript(of worker: WorkerID) -> [RunningAttempt] {
        workers[worker, default: []].sorted().compactMap { attempts[$0] }
    }

    mutating func insert(_ attempt: RunningAttempt) {
        let id = attempt.lease.attempt
        attempts[id] = attempt
        jobs[attempt.job] = id
        workers[attempt.lease.worker, default: []].insert(id)
    }

    mutating func remove(_ lease: LeaseKey) -> RunningAttempt? {
        guard let attempt = self[lease] else { return nil }
        let id = lease.attempt
        attempts[id] = nil
        if jobs[attempt.job] == id { jobs[attempt.job] = nil }
        workers[lease.worker]?.remove(id)
        if workers[lease.worker]?.isEmpty ?? false { workers[lease.worker] = nil }
        return attempt
    }

    /// Notes a step; whether it is a step forward.
    mutating func advance(_ id: AttemptID, to next: AttemptState) -> Bool {
        guard let current = attempts[id]?.state, current != next, current != .running else { return false }
        attempts[id]?.state = next
        return true
    }

    mutating func requestCancel(_ id: AttemptID) { attempts[id]?.isCancelRequested = true }

    /// Notes that a stream is durable up to `end`, and what that makes of its attempt.
    mutating func noteDurable(_ stream: OutputStreamID, to end: Int64) -> RunningAttempt? {
        guard var attempt = attempts[stream.attempt] else { return nil }
        switch stream.code {
        case .stdout: attempt.durableStdout = max(attempt.durableStdout, end)
        case .stderr: attempt.durableStderr = max(attempt.durableStderr, end)
        }
        attempts[stream.attempt] = attempt
        return attempt
    }
}

extension LeaseKey {
    init(_ lease: AttemptLease, worker: WorkerID) {
        self.init(attempt: lease.attempt, epoch: lease.epoch, worker: worker)
    }
}

extension AttemptLease {
    init(_ key: LeaseKey) { self.init(attempt: key.attempt, epoch: key.epoch) }
}
