import SandpoolModel
import Synchronization

/// The open session of each connected worker.
final class SessionTable: Sendable {
    private struct State {
        var sessions: [WorkerID: WorkerLink] = [:]
        var isClosed = false
    }

    private let state = Mutex(State())

    func session(of worker: WorkerID) -> WorkerLink? { state.withLock { $0.sessions[worker] } }

    /// Puts a session in place and returns the one that it replaces. A worker may come back before a coordinator that
    /// stops has closed its door: such a session ends as it begins, or the stop would wait for it.
    func replace(_ session: WorkerLink) -> WorkerLink? {
        let (old, isClosed) = state.withLock { state in
            (state.sessions.updateValue(session, forKey: session.worker), state.isClosed)
        }
        if isClosed { session.close() }
        return old
    }

    /// Takes a session out; whether it was still the worker's own.
    func remove(_ session: WorkerLink) -> Bool {
        state.withLock { state in
            guard state.sessions[session.worker] === session else { return false }
            state.sessions[session.worker] = nil
            return true
        }
    }

    /// Ends every session, and those to come.
    func closeAll() {
        let all = state.withLock { state in
            state.isClosed = true
            return Array(state.sessions.values)
        }
        for session in all { session.close() }
    }
}
