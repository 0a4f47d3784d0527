import Logging
import NIOCore
import SandpoolModel
import SandpoolStore

/// Acts on the queue's deadlines: queue timeouts, and delayed retries that become claimable.
final class QueueKeeper: Sendable {
    private let store: any JobStore
    private let clock: any CoordinatorClock
    private let hub: FollowerHub
    private let scheduler: Scheduler
    private let logger: Logger
    private let signal = Signal()
    private let alarm: Alarm

    /// Wait after the store failed.
    private static let failureDelay = Duration.seconds(1)

    init(
        store: any JobStore, clock: any CoordinatorClock, hub: FollowerHub, scheduler: Scheduler,
        eventLoop: any EventLoop, logger: Logger
    ) {
        self.store = store
        self.clock = clock
        self.hub = hub
        self.scheduler = scheduler
        self.logger = logger
        alarm = Alarm(signal: signal, clock: clock, eventLoop: eventLoop)
        signal.raise()
    }

    /// Looks at the queue when `moment` has come.
    func wake(at moment: Timestamp) { alarm.set(clock.uptime + moment.since(clock.now)) }

    func stop() { signal.close() }

    func run() async {
        while await signal.wait() {
            do {
                try await advance()
            } catch {
                guard !Task.isCancelled else { return }
                logger.error("queue timeouts and retries stand still for a second: \(error)")
                alarm.set(clock.uptime + Self.failureDelay)
            }
        }
    }

    private func advance() async throws {
        while true {
            let advance = try await store.advanceQueue(now: clock.now)
            for job in advance.expired { hub.publish(.finished(job), to: job) }
            if advance.released > 0 || !advance.expired.isEmpty { scheduler.post(.queueChanged) }
            if max(advance.released, advance.expired.count) < StoreLimits.batch { break }
        }
        if let next = try await store.nextQueueDeadline() { wake(at: next) }
    }
}
