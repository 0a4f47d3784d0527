import SandpoolModel
import SandpoolStore

/// What others may know.
extension CoordinatorState {
    package func attempt(_ lease: LeaseKey) -> RunningAttempt? { attempts[lease] }

    package func attempt(of job: JobID) -> RunningAttempt? { attempts[of: job] }

    /// Oldest first.
    package func attempts(of worker: WorkerID) -> [RunningAttempt] { attempts[of: worker] }

    package func session(of worker: WorkerID) -> SessionID? { sessions.current(of: worker) }

    /// Why the worker of a session gets no jobs, whatever operators say.
    package func hindrance(of session: SessionID) -> String? { sessions.all[session]?.hindrance }

    /// The enrolled workers, connected or not, in no order.
    package var enrolled: [WorkerRecord] { Array(workers.values) }

    /// Whether a worker's attempts count as unreachable.
    package func isSilent(_ worker: WorkerID, at moment: Moment) -> Bool {
        leases.liveness.isSilent(worker, at: moment.uptime)
    }
}

extension Array {
    /// The first `count` elements, and what is behind them.
    func split(after count: Int) -> (first: Self, rest: Self) {
        if self.count <= count { (self, []) } else { (Array(prefix(count)), Array(dropFirst(count))) }
    }
}
