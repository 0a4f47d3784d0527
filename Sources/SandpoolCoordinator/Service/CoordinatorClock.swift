import Glibc
import SandpoolModel

/// Time, injected so that tests own it.
protocol CoordinatorClock: Sendable {
    /// Wall clock, for what people and the store read.
    var now: Timestamp { get }
    /// Time that only goes forward, suspension of the host included, for leases.
    var uptime: Duration { get }
}

extension CoordinatorClock {
    var moment: Moment { Moment(wall: now, uptimeMs: uptime.wholeMilliseconds) }
}

struct SystemClock: CoordinatorClock {
    var now: Timestamp {
        let time = Self.read(CLOCK_REALTIME)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000)
    }

    /// clock_gettime(2): CLOCK_BOOTTIME is monotonic and counts suspension, as the workers' clock does.
    var uptime: Duration {
        let time = Self.read(CLOCK_BOOTTIME)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    private static func read(_ clock: clockid_t) -> timespec {
        var time = timespec()
        clock_gettime(clock, &time)
        return time
    }
}
