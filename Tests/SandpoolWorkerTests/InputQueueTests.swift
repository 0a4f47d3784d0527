import NIOCore
import SandpoolAPI
import Testing

@testable import SandpoolWorker

@Suite struct InputQueueTests {
    private func frame(_ offset: Int64, _ text: String, last: Bool = false) -> InputFrame {
        InputFrame(id: "at-x", epoch: 1, offset: offset, isLast: last, bytes: ByteBuffer(string: text))
    }

    private func take(_ queue: inout InputQueue) -> String { String(buffer: queue.takeWaiting()) }

    @Test func bytesComeOutInOrderAndRepeatsOnce() throws {
        var queue = InputQueue()
        try queue.add(frame(0, "hello "))
        try queue.add(frame(0, "hello "))
        try queue.add(frame(3, "lo wor"))
        try queue.add(frame(9, "ld", last: true))
        try queue.add(frame(9, "ld", last: true))
        #expect(take(&queue) == "hello world")
        #expect(!queue.isFinished)
        queue.noteConsumed(to: 11)
        #expect(queue.isFinished)
        #expect(queue.consumed == 11)
    }

    @Test func aGapIsRefused() throws {
        var queue = InputQueue()
        try queue.add(frame(0, "a"))
        #expect(throws: InputQueue.Refusal.gap) { try queue.add(frame(2, "c")) }
    }

    @Test func moreThanTheBoundIsRefused() throws {
        var queue = InputQueue()
        let chunk = String(repeating: "x", count: InputQueue.limit)
        try queue.add(frame(0, chunk))
        #expect(throws: InputQueue.Refusal.overflow) { try queue.add(frame(Int64(InputQueue.limit), "y")) }
    }

    @Test func aPipeThatTakesLittleGetsTheRestLater() throws {
        var queue = InputQueue()
        try queue.add(frame(0, "abcdef", last: true))
        #expect(take(&queue) == "abcdef")
        queue.noteConsumed(to: 2)
        #expect(queue.hasWaiting && !queue.isFinished)
        queue.noteConsumed(to: 6)
        #expect(take(&queue).isEmpty)
        #expect(queue.isFinished)
    }

    @Test func goesOnWhereAnotherOneWas() throws {
        var queue = InputQueue(received: 5, consumed: 3)
        try queue.add(frame(2, "cdefg", last: true))
        #expect(take(&queue) == "fg")
        #expect(queue.consumed == 3 && queue.hasWaiting)
    }

    @Test func anEmptyLastFrameEndsIt() throws {
        var queue = InputQueue()
        try queue.add(frame(0, "", last: true))
        #expect(queue.isFinished)
    }
}
