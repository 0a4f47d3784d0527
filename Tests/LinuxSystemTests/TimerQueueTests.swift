import LinuxSystem
import Testing

@Suite struct TimerQueueTests {
    @Test func deadlinesComeInTheirOrder() {
        var queue = TimerQueue<Int>()
        for value in [50, 10, 30, 20, 40, 10] { _ = queue.add(at: UInt64(value), value) }
        var taken: [Int] = []
        while let value = queue.pop(at: 40) { taken.append(value) }
        #expect(taken == [10, 10, 20, 30, 40])
        #expect(queue.next() == 50)
        #expect(queue.pop(at: 49) == nil)
        #expect(queue.pop(at: 50) == 50)
        #expect(queue.next() == nil)
    }

    @Test func aCancelledDeadlineNeverComes() {
        var queue = TimerQueue<Int>()
        let tokens = (0..<1_000).map { queue.add(at: UInt64($0), $0) }
        for token in tokens where tokens.firstIndex(of: token).map({ $0 % 10 != 0 }) ?? false { queue.cancel(token) }
        #expect(queue.count == 100)
        var taken: [Int] = []
        while let value = queue.pop(at: .max) { taken.append(value) }
        #expect(taken == Array(stride(from: 0, to: 1_000, by: 10)))
    }

    @Test func cancellingTwiceIsHarmless() {
        var queue = TimerQueue<Int>()
        let token = queue.add(at: 1, 1)
        _ = queue.add(at: 2, 2)
        queue.cancel(token)
        queue.cancel(token)
        #expect(queue.next() == 2)
    }
}
