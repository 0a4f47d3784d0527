import Glibc
import LinuxSystem
import SandpoolModel

enum SystemClock {
    /// The wall clock (CLOCK_REALTIME).
    static func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000)
    }

    static func moment() -> Moment {
        Moment(wall: now(), uptimeMs: Int64(clamping: BoottimeClock.milliseconds()))
    }
}
