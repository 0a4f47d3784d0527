import Glibc
import Testing

@testable import SandpoolSandbox

@Suite struct EarlySignalsTests {
    private static func taken(_ signals: Int32...) -> [Int32] {
        var early = EarlySignals()
        for signal in signals { early.insert(UInt8(signal)) }
        let taken = early.take()
        #expect(early.take().isEmpty)
        return taken.map { Int32($0) }
    }

    @Test func theyKeepTheirOrderAndComeOnce() {
        #expect(Self.taken(SIGUSR2, SIGHUP, SIGUSR1, SIGHUP, 64, 1) == [SIGUSR2, SIGHUP, SIGUSR1, 64])
        #expect(Self.taken() == [])
    }

    @Test(arguments: [SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU]) func whoIsStoppedAndContinuedRuns(stop: Int32) {
        #expect(Self.taken(stop, SIGCONT) == [SIGCONT])
        #expect(Self.taken(SIGCONT, stop) == [stop])
        #expect(Self.taken(stop, SIGCONT, stop) == [stop])
        #expect(Self.taken(SIGTTIN, SIGSTOP, SIGTERM, SIGCONT) == [SIGTERM, SIGCONT])
    }

    @Test func goingOnIsLast() { #expect(Self.taken(SIGCONT, SIGUSR1, SIGTERM) == [SIGUSR1, SIGTERM, SIGCONT]) }
}
