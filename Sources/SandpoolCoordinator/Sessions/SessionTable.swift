import SandpoolModel
import Synchronization

/// The open session of each connected worker.
final class SessionTable: Sendable {
    private let sessions = Mutex<[WorkerID: WorkerLink]>([:])

    func session(of worker: WorkerID) -> WorkerLink? { sessions.withLock { $0[worker] } }

    /// Puts a session in place and returns the one that it replaces.
    func replace(_ session: WorkerLink) -> WorkerLink? {
        sessions.withLock { $0.updateValue(session, forKey: session.worker) }
    }

    /// Takes a session out; whether it was still the worker's own.
    func remove(_ session: WorkerLink) -> Bool {
        sessions.withLock { table in
            guard table[session.worker] === session else { return false }
            table[session.worker] = nil
            return true
        }
    }

    func closeAll() {
        let all = sessions.withLock { Array($0.values) }
        for session in all { session.close() }
    }
}
