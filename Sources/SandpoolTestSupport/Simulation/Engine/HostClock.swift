import SandpoolModel

/// The clocks of one simulated host. The wall clock can be set; CLOCK_BOOTTIME begins at each boot and runs a little
/// fast or slow (clock_gettime(2): neither NTP's steps nor settimeofday(2) touch it, its slewing does).
struct HostClock {
    /// Microseconds of the world at which the host booted.
    private var bootedAt: Int64 = 0
    /// What the wall clock shows at the world's beginning.
    private var wallMs: Int64
    /// Millionths by which a second is longer.
    private let drift: Int64
    /// CLOCK_BOOTTIME at the boot: a machine takes some time until it runs anything.
    private static let bootMs: Int64 = 8_000

    init(wallMs: Int64, drift: Int64) {
        self.wallMs = wallMs
        self.drift = drift
    }

    mutating func boot(at now: Int64) { bootedAt = now }
    mutating func set(byMs jump: Int64) { wallMs += jump }

    func wall(at now: Int64) -> Timestamp { Timestamp(milliseconds: wallMs + now / 1_000) }

    /// CLOCK_BOOTTIME in milliseconds.
    func uptimeMs(at now: Int64) -> Int64 {
        let since = now - bootedAt
        return Self.bootMs + (since + since / 1_000_000 * drift) / 1_000
    }

    /// How many microseconds of the world pass while this host's clock counts so many milliseconds.
    func world(ms: Int64) -> Int64 {
        let micros = ms * 1_000
        return micros - micros / 1_000_000 * drift
    }
}
