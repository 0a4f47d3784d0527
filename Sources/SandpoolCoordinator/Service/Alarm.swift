import NIOCore
import Synchronization

/// Raises a signal at the earliest moment that it was set to.
final class Alarm: Sendable {
    private let signal: Signal
    private let eventLoop: any EventLoop
    private let pending = Mutex<(moment: Duration, task: Scheduled<Void>)?>(nil)
    private let clock: any CoordinatorClock

    init(signal: Signal, clock: any CoordinatorClock, eventLoop: any EventLoop) {
        self.signal = signal
        self.clock = clock
        self.eventLoop = eventLoop
    }

    /// Rings at `moment` of the clock's uptime, unless it is set to ring before.
    func set(_ moment: Duration) {
        pending.withLock { pending in
            if let earlier = pending, earlier.moment <= moment { return }
            pending?.task.cancel()
            let delay = max(.zero, moment - clock.uptime)
            let task = eventLoop.scheduleTask(in: TimeAmount(delay)) { [weak self] in self?.ring() ?? () }
            pending = (moment, task)
        }
    }

    private func ring() {
        pending.withLock { $0 = nil }
        signal.raise()
    }
}
