import Testing

@testable import SandpoolSandbox

@Suite struct OutputPaceTests {
    /// Takes pieces as the spooler does, on a clock that only its waits move.
    private func taken(cpuMillis: UInt32, within micros: UInt64) -> UInt64 {
        var pace = OutputPace(cpuMillis: cpuMillis)
        var now: UInt64 = 1_000_000
        var bytes: UInt64 = 0
        while now < 1_000_000 + micros {
            pace.spend(UInt64(pace.piece), at: now)
            bytes += UInt64(pace.piece)
            now += pace.wait(at: now)
        }
        return bytes
    }

    @Test(arguments: [10, 250, 1_000, 4_000, 64_000] as [UInt32]) func whatIsTakenFollowsTheProcessors(
        cpuMillis: UInt32
    ) {
        let rate = Double(cpuMillis) / 1_000 * Double(32 << 20)
        let bytes = Double(taken(cpuMillis: cpuMillis, within: 100_000_000))
        #expect(bytes > 99 * rate && bytes < 101 * rate, "\(bytes) bytes in 100 s, \(rate) a second")
    }

    @Test func aBurstAfterASilenceDoesNotWait() {
        var pace = OutputPace(cpuMillis: 1_000)
        pace.spend(7 << 20, at: 5_000_000)
        #expect(pace.wait(at: 5_000_000) == 0)
        pace.spend(2 << 20, at: 5_000_000)
        #expect(pace.wait(at: 5_000_000) > 0)
        // Silence is not saved up beyond that.
        pace.spend(8 << 20, at: 500_000_000)
        pace.spend(1 << 20, at: 500_000_000)
        #expect(pace.wait(at: 500_000_000) > 0)
    }

    /// The idle timeout counts whole seconds at least.
    @Test(arguments: [1, 10, 100, 1_000_000, .max] as [UInt32]) func noWaitIsLong(cpuMillis: UInt32) {
        var pace = OutputPace(cpuMillis: cpuMillis)
        var now: UInt64 = 0
        for _ in 0..<1_000 {
            pace.spend(UInt64(pace.piece), at: now)
            #expect((4_096...1 << 20).contains(pace.piece) && pace.wait(at: now) <= 200_000)
            now += pace.wait(at: now)
        }
    }
}
