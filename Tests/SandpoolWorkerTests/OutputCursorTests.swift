import SandpoolAPI
import Testing

@testable import SandpoolWorker

@Suite struct OutputCursorTests {
    /// Whatever happens in whatever order, `durable ≤ sent ≤ available` and every byte is taken once a session.
    @Test(arguments: 0..<50) func theOrderHolds(seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        var cursor = OutputCursor()
        var next: Int64 = 0
        for _ in 0..<500 {
            switch Int.random(in: 0..<5, using: &generator) {
            case 0: cursor.grow(to: cursor.available + Int64.random(in: 0...10_000, using: &generator))
            case 1, 2:
                if let piece = cursor.take(Int.random(in: 1...4_096, using: &generator)) {
                    #expect(piece.offset == next)
                    next += Int64(piece.count)
                }
            case 3: cursor.acknowledge(Int64.random(in: -5...(cursor.sent + 5), using: &generator))
            default:
                cursor.resume(at: cursor.durable)
                next = cursor.durable
            }
            #expect(cursor.durable >= 0 && cursor.durable <= cursor.sent && cursor.sent <= cursor.available)
        }
    }

    @Test func acknowledgementsNeverGoBackOrAhead() {
        var cursor = OutputCursor()
        cursor.grow(to: 100)
        _ = cursor.take(60)
        cursor.acknowledge(1_000)
        #expect(cursor.durable == 60)
        cursor.acknowledge(10)
        #expect(cursor.durable == 60)
    }

    @Test func whatRidesInTheResultIsNotSentAgain() {
        var cursor = OutputCursor()
        cursor.grow(to: 100)
        _ = cursor.take(40)
        cursor.cutAtSent()
        #expect(cursor.unsent == 0)
        cursor.resume(at: 10)
        #expect(cursor.take(1_000).map { [$0.offset, Int64($0.count)] } == [10, 30])
    }
}

/// The same numbers for the same seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}
