import Logging
import NIOCore
import SandpoolModel
import SandpoolStore
import Synchronization

/// Renews leases in memory and acts on `Liveness`' verdicts. Nothing expires because of the coordinator's own
/// restart: a worker counts as heard of when it starts.
final class LeaseKeeper: Sendable {
    private let store: any JobStore
    private let clock: any CoordinatorClock
    private let table: AttemptTable
    private let ledger: AttemptLedger
    private let sessions: SessionTable
    private let logger: Logger
    private let liveness: Mutex<Liveness>
    private let signal = Signal()
    private let alarm: Alarm

    private static let failureDelay = Duration.seconds(1)

    init(
        store: any JobStore, clock: any CoordinatorClock, table: AttemptTable, ledger: AttemptLedger,
        sessions: SessionTable, timings: CoordinatorTimings, eventLoop: any EventLoop, logger: Logger
    ) {
        self.store = store
        self.clock = clock
        self.table = table
        self.ledger = ledger
        self.sessions = sessions
        self.logger = logger
        liveness = Mutex(Liveness(timings: timings))
        alarm = Alarm(signal: signal, clock: clock, eventLoop: eventLoop)
    }

    /// Renews the worker's leases; whether its attempts had been flagged unreachable.
    @discardableResult
    func heard(_ worker: WorkerID) -> Bool {
        let now = clock.uptime
        let (wasFlagged, silence) = liveness.withLock { liveness in
            (liveness.heard(worker, at: now), liveness.timings.unreachableAfter)
        }
        alarm.set(now + silence)
        return wasFlagged
    }

    func isSilent(_ worker: WorkerID) -> Bool { liveness.withLock { $0.isSilent(worker, at: clock.uptime) } }

    func forget(_ worker: WorkerID) { liveness.withLock { $0.forget(worker) } }

    func stop() { signal.close() }

    func run() async {
        while await signal.wait() {
            let (verdicts, next) = liveness.withLock { liveness in
                liveness.judge(at: clock.uptime) { table.attempts(of: $0) }
            }
            do {
                try await act(on: verdicts)
            } catch {
                logger.error("leases stand still for a second: \(error)")
                alarm.set(clock.uptime + Self.failureDelay)
            }
            if let next { alarm.set(next) }
        }
    }

    private func act(on verdicts: [Liveness.Verdict]) async throws {
        var losses: [LossReport] = []
        for verdict in verdicts {
            switch verdict {
            case .unreachable(let worker):
                sessions.session(of: worker)?.abort("the worker is silent")
                try await store.setUnreachable(worker: worker, since: clock.now)
            case .replace(let lease):
                losses.append(
                    .workerLost(lease, kind: .superseded, "worker \(lease.worker) fell silent; the job runs again"))
            case .lose(let lease):
                losses.append(
                    .workerLost(
                        lease, "worker \(lease.worker) fell silent while the command ran; check that host, then run "
                            + "the job again"))
            }
        }
        try await ledger.recordLosses(losses)
    }
}
