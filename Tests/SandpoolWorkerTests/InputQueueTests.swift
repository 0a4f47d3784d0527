import NIOCore
import SandpoolAPI
import Testing

@testable import SandpoolWorker

@Suite struct InputQueueTests {
    private func frame(_ offset: Int64, _ text: String, last: Bool = false) -> InputFrame {
        InputFrame(id: "at-x", epoch: 1, offset: offset, isLast: last, bytes: ByteBuffer(string: text))
    }

    private func drain(_ queue: inout InputQueue, atMost limit: Int = .max) -> String {
        var taken: [UInt8] = []
        queue.drain { bytes in
            let count = min(bytes.count, limit - taken.count)
            taken += bytes.prefix(count)
            return count
        }
        return String(decoding: taken, as: UTF8.self)
    }

    @Test func bytesComeOutInOrderAndRepeatsOnce() throws {
        var queue = InputQueue()
        try queue.add(frame(0, "hello "))
        try queue.add(frame(0, "hello "))
        try queue.add(frame(3, "lo wor"))
        try queue.add(frame(9, "ld", last: true))
        try queue.add(frame(9, "ld", last: true))
        #expect(drain(&queue) == "hello world")
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
        #expect(drain(&queue, atMost: 2) == "ab")
        #expect(!queue.isFinished)
        #expect(queue.consumed == 2)
        #expect(drain(&queue) == "cdef")
        #expect(queue.isFinished)
    }

    @Test func anEmptyLastFrameEndsIt() throws {
        var queue = InputQueue()
        try queue.add(frame(0, "", last: true))
        #expect(queue.isFinished)
    }
}
