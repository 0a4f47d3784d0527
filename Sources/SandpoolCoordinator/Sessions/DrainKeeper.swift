import NIOCore
import SandpoolAPI
import SandpoolModel
import SandpoolStore

/// Ends what still runs on a drained worker when the drain's deadline has come.
///
/// The worker is told what a user's cancel tells it: SIGTERM, grace, kill. So the command may clean up, its output
/// and evidence arrive whole, and a worker that reaped it says so; the store records the end as preempted, because
/// no user asked for it. A worker that is away is told when it comes back: until then nobody knows what runs there
/// (design decision 6). Deadlines are the store's, so that they outlive the coordinator.
final class DrainKeeper: Sendable {
    private let clock: any CoordinatorClock
    private let workers: WorkerDirectory
    private let table: AttemptTable
    private let sessions: SessionTable
    private let signal = Signal()
    private let alarm: Alarm

    init(
        clock: any CoordinatorClock, workers: WorkerDirectory, table: AttemptTable, sessions: SessionTable,
        eventLoop: any EventLoop
    ) {
        self.clock = clock
        self.workers = workers
        self.table = table
        self.sessions = sessions
        alarm = Alarm(signal: signal, clock: clock, eventLoop: eventLoop)
        signal.raise()
    }

    /// A drain was set, or a draining worker came back.
    func wake() { signal.raise() }

    func stop() { signal.close() }

    func run() async {
        while await signal.wait() {
            let now = clock.now
            for record in workers.all {
                guard let deadline = record.drain?.deadline else { continue }
                if deadline <= now {
                    preempt(record.registration.id)
                } else {
                    alarm.set(clock.uptime + deadline.since(now))
                }
            }
        }
    }

    /// Told twice, a worker goes on with the first.
    private func preempt(_ worker: WorkerID) {
        guard let session = sessions.session(of: worker) else { return }
        for attempt in table.attempts(of: worker) { session.send(.cancel(AttemptLease(attempt.lease))) }
    }
}
