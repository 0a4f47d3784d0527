import SandpoolModel
import SandpoolStore
import Synchronization

/// An attempt that a worker holds, as the coordinator remembers it.
struct RunningAttempt: Sendable {
    var lease: LeaseKey
    var job: JobID
    var spec: JobSpec
    var resources: Resources
    var state: AttemptState
    /// When it was leased, or the coordinator started; by the uptime clock.
    var since: Duration
}

/// The attempts that are not terminal, by their own id and by their job's. The store is the truth; this is
/// what routes frames without asking it.
final class AttemptTable: Sendable {
    private struct State {
        var attempts: [AttemptID: RunningAttempt] = [:]
        var jobs: [JobID: AttemptID] = [:]
    }

    private let state = Mutex(State())

    func insert(_ attempt: RunningAttempt) {
        state.withLock { state in
            state.attempts[attempt.lease.attempt] = attempt
            state.jobs[attempt.job] = attempt.lease.attempt
        }
    }

    @discardableResult
    func remove(_ id: AttemptID) -> RunningAttempt? {
        state.withLock { state in
            guard let attempt = state.attempts.removeValue(forKey: id) else { return nil }
            if state.jobs[attempt.job] == id { state.jobs[attempt.job] = nil }
            return attempt
        }
    }

    func attempt(_ id: AttemptID) -> RunningAttempt? { state.withLock { $0.attempts[id] } }

    func attempt(of job: JobID) -> RunningAttempt? {
        state.withLock { state in state.jobs[job].flatMap { state.attempts[$0] } }
    }

    func attempts(of worker: WorkerID) -> [RunningAttempt] {
        state.withLock { state in state.attempts.values.filter { $0.lease.worker == worker } }
    }

    /// Notes a step; whether it is a step forward.
    func advance(_ id: AttemptID, to next: AttemptState) -> Bool {
        state.withLock { state in
            guard let current = state.attempts[id]?.state, current != next, current != .running else { return false }
            state.attempts[id]?.state = next
            return true
        }
    }
}
