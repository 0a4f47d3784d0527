import NIOCore
import SandpoolAPI
import SandpoolModel
import Testing

@testable import SandpoolCoordinator

/// What waits for a worker: its order, its bounds, its end.
@Suite(.timeLimit(.minutes(1))) struct OutboxTests {
    /// Messages that are ready, decoded.
    private static func messages(in bytes: ByteBuffer?) throws -> [CoordinatorMessage] {
        var decoder = FrameDecoder()
        decoder.append(bytes ?? ByteBuffer())
        var messages: [CoordinatorMessage] = []
        while let frame = try decoder.next() { messages.append(try frame.message()) }
        try decoder.finish()
        return messages
    }

    private static func assignment(_ number: Int64, bytes: Int) -> Assignment {
        let at = Timestamp(milliseconds: number)
        return Assignment(
            lease: AttemptLease(attempt: .make(at: at), epoch: number), job: .make(at: at),
            spec: JobSpec(command: [String(repeating: "a", count: bytes)]))
    }

    private static func frame(bytes: Int) -> Frame {
        .input(
            InputFrame(id: "at-1", epoch: 0, offset: 0, isLast: false, bytes: ByteBuffer(repeating: 0, count: bytes)))
    }

    @Test func whateverThreadsFlushTheOrderIsThatOfTheQueue() async throws {
        let outbox = Outbox()
        let count: Int64 = 2_000
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<3 {
                group.addTask { for _ in 0..<count { try outbox.flush() } }
            }
            group.addTask {
                for number in 0..<count { outbox.queue(.message(.heartbeat(sentMs: number))) }
                try outbox.flush()
                outbox.close()
            }
            var received: [CoordinatorMessage] = []
            while let bytes = await outbox.next() { received += try Self.messages(in: bytes) }
            #expect(received == (0..<count).map { .heartbeat(sentMs: $0) })
            try await group.waitForAll()
        }
    }

    @Test func nothingIsReadyBeforeTheFlush() async throws {
        let outbox = Outbox()
        outbox.queue(.message(.drain))
        outbox.queue(.message(.heartbeat(sentMs: 7)))
        async let bytes = outbox.next()
        try outbox.flush()
        #expect(try Self.messages(in: await bytes) == [.drain, .heartbeat(sentMs: 7)])
    }

    @Test func assignmentsThatAreTooLongForAFrameGoInSeveralInTheirOrder() async throws {
        let outbox = Outbox()
        let assignments = (1...5).map { Self.assignment($0, bytes: Frame.payloadLimit / 3) }
        outbox.queue(.message(.assign(assignments)))
        outbox.queue(.message(.drain))
        try outbox.flush()
        let messages = try Self.messages(in: await outbox.next())
        #expect(messages.last == .drain)
        let sent = messages.flatMap { if case .assign(let part) = $0 { part } else { [] as [Assignment] } }
        #expect(sent == assignments && messages.count > 2)
    }

    @Test func whatDoesNotFitIntoAFrameIsSaidAndDropped() throws {
        let outbox = Outbox()
        outbox.queue(.message(.assign([Self.assignment(1, bytes: Frame.payloadLimit)])))
        #expect(throws: FrameError.self) { try outbox.flush() }
        try outbox.flush()
    }

    @Test func aWorkerThatDoesNotReadIsGivenUpAtTheLimit() async throws {
        let outbox = Outbox()
        let frame = Self.frame(bytes: 1 << 20)
        // Frames count from when they are queued, and still do once they are bytes.
        for _ in 0..<8 { outbox.queue(.frame(frame)) }
        try outbox.flush()
        for _ in 0..<8 { outbox.queue(.frame(frame)) }
        try outbox.flush()
        outbox.queue(.frame(frame))
        #expect(throws: Outbox.Overflow.self) { try outbox.flush() }
        outbox.close()
        let bytes = try #require(await outbox.next()).readableBytes
        #expect(bytes >= Outbox.limit && bytes < Outbox.limit + (1 << 20), "what it had before")
        #expect(await outbox.next() == nil)
    }

    @Test func messagesCountTheirBytesAsTheyAreEncoded() throws {
        let outbox = Outbox()
        let assignment = Self.assignment(1, bytes: Frame.payloadLimit - 4_096)
        for _ in 0..<6 { outbox.queue(.message(.assign([assignment]))) }
        #expect(throws: Outbox.Overflow.self) { try outbox.flush() }
    }

    @Test func assignmentsThatAreSplitCountTheirBytesAsTheyAreEncoded() throws {
        let outbox = Outbox()
        let assignments = (1...6).map { Self.assignment($0, bytes: Frame.payloadLimit - 4_096) }
        outbox.queue(.message(.assign(assignments)))
        #expect(throws: Outbox.Overflow.self) { try outbox.flush() }
    }

    @Test func whoWaitsForMoreIsToldTheEndAfterAnOverflow() async throws {
        let outbox = Outbox()
        for _ in 0...Outbox.itemLimit { outbox.queue(.message(.drain)) }
        async let bytes = outbox.next()
        #expect(throws: Outbox.Overflow.self) { try outbox.flush() }
        outbox.queue(.message(.drain))
        outbox.close()
        #expect(await bytes == nil)
    }

    @Test func moreThanAStepHasToSayIsNotQueued() throws {
        let outbox = Outbox()
        for _ in 0...Outbox.itemLimit { outbox.queue(.message(.drain)) }
        #expect(throws: Outbox.Overflow.self) { try outbox.flush() }
    }

    @Test func whatWasQueuedBeforeTheEndStillGoes() async throws {
        let outbox = Outbox()
        outbox.queue(.message(.drain))
        outbox.close()
        outbox.queue(.message(.heartbeat(sentMs: 1)))
        async let bytes = outbox.next()
        try outbox.flush()
        #expect(try Self.messages(in: await bytes) == [.drain])
        #expect(await outbox.next() == nil)
    }
}
