import Logging
import NIOCore
import SandpoolModel
import Synchronization

/// Cancels jobs with `onDisconnect: cancel` that nobody has followed for a while.
final class OrphanKeeper: Sendable {
    private let jobs: JobService
    private let hub: FollowerHub
    private let clock: any CoordinatorClock
    private let grace: Duration
    private let logger: Logger
    private let deadlines = Mutex<[JobID: Duration]>([:])
    private let signal = Signal()
    private let alarm: Alarm

    init(
        jobs: JobService, hub: FollowerHub, clock: any CoordinatorClock, grace: Duration, eventLoop: any EventLoop,
        logger: Logger
    ) {
        self.jobs = jobs
        self.hub = hub
        self.clock = clock
        self.grace = grace
        self.logger = logger
        alarm = Alarm(signal: signal, clock: clock, eventLoop: eventLoop)
    }

    /// The job lost its last follower.
    func abandoned(_ job: JobID) {
        let deadline = clock.uptime + grace
        deadlines.withLock { $0[job] = deadline }
        alarm.set(deadline)
    }

    /// The job has a follower again, or shall go on without one.
    func keep(_ job: JobID) { deadlines.withLock { $0[job] = nil } }

    func stop() { signal.close() }

    func run() async {
        while await signal.wait() {
            let now = clock.uptime
            let due = deadlines.withLock { deadlines in
                let due = deadlines.filter { $0.value <= now }.map(\.key)
                for job in due { deadlines[job] = nil }
                if let next = deadlines.values.min() { alarm.set(next) }
                return due
            }
            for job in due where !hub.isHeld(job) {
                do {
                    try await jobs.cancel(job)
                    logger.info("cancelled: its client went away", metadata: ["job": "\(job)"])
                } catch {
                    logger.error("cannot cancel an abandoned job: \(error)", metadata: ["job": "\(job)"])
                    abandoned(job)
                }
            }
        }
    }
}
