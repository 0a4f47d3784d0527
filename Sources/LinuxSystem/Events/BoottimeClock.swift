import Glibc

/// Time since boot, including sleep (CLOCK_BOOTTIME): deadlines hold over a suspended host.
public enum BoottimeClock {
    public static func microseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1_000
    }

    public static func milliseconds() -> UInt64 { microseconds() / 1_000 }
}
