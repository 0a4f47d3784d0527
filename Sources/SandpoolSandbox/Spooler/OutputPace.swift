/// How fast the output of a sandbox is taken while others are alive beside it.
///
/// What a byte of output costs the spooler, the worker and the coordinator is in no quota: a sandbox that writes as
/// fast as its share of a processor allows has them spend several times that share on it. So it is charged here, in
/// proportion to the processors that it asked for; its writer waits, as for a slow disk. One that is alone may be
/// faster, but not so fast that it leaves more behind than can be sent up at once: that would be taken from whoever
/// comes next.
///
/// The account is a virtual clock (the generic cell rate algorithm, ITU-T I.371): it runs ahead of the real one by the
/// time that what was taken should have lasted.
struct OutputPace {
    /// Bytes a second for a whole processor: what keeps about a third of one busy on the way up, in a stream that is
    /// looked at, stored and synced in small pieces.
    private static let bytesPerProcessor: UInt64 = 32 << 20
    /// How much faster one that is alone may be.
    private static let alone: UInt64 = 16
    /// How much may come at once after a silence, in microseconds of the pace: logs come in bursts.
    private static let burstMicros: UInt64 = 250_000
    /// A piece lasts this long, so that nobody's waits come near the shortest idle timeout.
    private static let pieceMicros: UInt64 = 100_000

    private let bytesPerSecond: UInt64
    private var paidUntil: UInt64 = 0

    init(cpuMillis: UInt32) {
        bytesPerSecond = max(Self.bytesPerProcessor / 1_000 * UInt64(cpuMillis), 1)
    }

    /// Bytes to take at once.
    var piece: Int { Int(min(max(bytesPerSecond / (1_000_000 / Self.pieceMicros), 4_096), 1 << 20)) }

    mutating func spend(_ bytes: UInt64, isAlone: Bool = false, at now: UInt64) {
        paidUntil = max(paidUntil, now) + bytes * 1_000_000 / (isAlone ? bytesPerSecond * Self.alone : bytesPerSecond)
    }

    /// Microseconds until more may be taken; 0 for now.
    func wait(at now: UInt64) -> UInt64 {
        paidUntil > now + Self.burstMicros ? paidUntil - now - Self.burstMicros : 0
    }
}
