import NIOCore
import SandpoolAPI
import SandpoolModel
import Synchronization
import Testing

@testable import SandpoolCoordinator

/// Standard input on its way through the coordinator.
@Suite(.timeLimit(.minutes(1))) struct InputRelayTests {
    /// A worker's session as the relay sees it.
    private final class Receiver: InputReceiver {
        private let frames = Mutex<[InputFrame]>([])

        func queue(_ frame: Frame) {
            if case .input(let input) = frame { frames.withLock { $0.append(input) } }
        }

        /// What was sent since the last call.
        func take() -> [InputFrame] {
            frames.withLock { frames in
                defer { frames = [] }
                return frames
            }
        }
    }

    private static let job = JobID.make(at: Timestamp(milliseconds: 1_000_000))
    private static let lease = AttemptLease(attempt: .make(at: Timestamp(milliseconds: 1_000_000)), epoch: 3)
    private static let window = Int(InputRelays<JobID>.window)

    private static func input(_ offset: Int64, _ bytes: Int, isLast: Bool = false) -> InputFrame {
        InputFrame(
            id: "sb-1", epoch: 0, offset: offset, isLast: isLast,
            bytes: ByteBuffer(repeating: UInt8(ascii: "i"), count: bytes))
    }

    private static func relays() -> InputRelays<JobID> {
        let relays = InputRelays<JobID>()
        relays.open(job)
        return relays
    }

    @Test func whatIsNewBeginsAtItsBegin() {
        let relays = InputRelays<JobID>()
        relays.open(Self.job, isNew: true)
        guard case .gap(expected: 0) = relays.accept(Self.input(5, 1), for: Self.job) else {
            Issue.record("it began elsewhere")
            return
        }
    }

    @Test func inputIsSentAsFarAsTheWindowGoesAndAgainAfterAReconnection() {
        let (relays, session) = (Self.relays(), Receiver())
        guard case .taken = relays.accept(Self.input(0, Self.window + 10, isLast: true), for: Self.job) else {
            Issue.record("not taken")
            return
        }
        relays.push(Self.job, for: Self.lease, to: session)
        let first = session.take()
        #expect(first.reduce(0) { $0 + $1.bytes.readableBytes } == Self.window)
        #expect(first.allSatisfy { $0.epoch == 3 && !$0.isLast })
        relays.push(Self.job, for: Self.lease, to: session)
        #expect(session.take().isEmpty)
        #expect(relays.consumed(Self.job, to: .min) == nil)
        #expect(relays.consumed(Self.job, to: 100) == 100)
        #expect(relays.consumed(Self.job, to: 100) == nil)
        relays.push(Self.job, for: Self.lease, to: session)
        let rest = session.take()
        #expect(rest.map(\.offset) == [Int64(Self.window)])
        #expect(rest.last?.isLast == true)
        // Whoever comes first to a new session, the client or the inventory: it has nothing yet.
        let next = Receiver()
        relays.push(Self.job, for: Self.lease, to: next)
        let again = next.take()
        #expect(again.first?.offset == 100)
        #expect(again.last?.isLast == true)
        relays.push(Self.job, for: Self.lease, to: next, again: true)
        #expect(next.take() == again)
    }

    /// Another attempt on the same session has nothing of it either.
    @Test func anotherAttemptBeginsWhereTheCommandIs() {
        let (relays, session) = (Self.relays(), Receiver())
        _ = relays.accept(Self.input(0, 10), for: Self.job)
        relays.push(Self.job, for: Self.lease, to: session)
        let other = AttemptLease(attempt: .make(at: Timestamp(milliseconds: 2_000_000)), epoch: 4)
        relays.push(Self.job, for: other, to: session)
        #expect(session.take().map(\.id) == [Self.lease.attempt.text, other.attempt.text])
    }

    /// A client sends again what it does not know to be taken; the worker may have had all of it, and more than
    /// was sent to it by this coordinator.
    @Test func inputThatWasTakenBeforeARestartMovesTheWindow() {
        let (relays, session) = (Self.relays(), Receiver())
        _ = relays.accept(Self.input(1_000, 2 * Self.window), for: Self.job)
        relays.push(Self.job, for: Self.lease, to: session)
        #expect(session.take().last.map { Int($0.offset) + $0.bytes.readableBytes } == 1_000 + Self.window)
        let taken = Int64(1_000 + Self.window + 50)
        #expect(relays.consumed(Self.job, to: taken) == taken)
        relays.push(Self.job, for: Self.lease, to: session)
        #expect(session.take().first?.offset == taken)
        #expect(relays.consumed(Self.job, to: .max) == Int64(1_000 + 2 * Self.window), "never more than is here")
    }

    @Test func inputIsBoundedAndGapsAreRefused() {
        let (relays, limit) = (Self.relays(), InputRelays<JobID>.limit)
        _ = relays.accept(Self.input(0, limit), for: Self.job)
        if case .full = relays.accept(Self.input(Int64(limit), 1), for: Self.job) {} else { Issue.record("not full") }
        if case .gap(let expected) = relays.accept(Self.input(Int64(limit) + 5, 1), for: Self.job) {
            #expect(expected == Int64(limit))
        } else {
            Issue.record("no gap")
        }
        relays.drop(Self.job)
        #expect(!relays.end(Self.job), "a job that ended takes no input")
    }

    /// The client's task and the worker's session push at the same time; a frame that overtook another would be a gap.
    @Test func framesNeverOvertakeEachOther() async throws {
        let (relays, session) = (Self.relays(), Receiver())
        let total = Int64(16 << 20)
        let arrived = Mutex<Int64>(0)
        let client = Task {
            var offset: Int64 = 0
            while offset < total {
                let frame = Self.input(offset, 10_000, isLast: offset + 10_000 >= total)
                guard try await relays.receive(frame, for: Self.job) else { return }
                offset += 10_000
                relays.push(Self.job, for: Self.lease, to: session)
            }
        }
        var isWhole = false
        while !isWhole {
            for frame in session.take() {
                let expected = arrived.withLock { arrived in
                    defer { arrived = max(arrived, frame.offset + Int64(frame.bytes.readableBytes)) }
                    return arrived
                }
                try #require(frame.offset == expected, "one was overtaken")
                isWhole = frame.isLast
            }
            if relays.consumed(Self.job, to: arrived.withLock { $0 }) != nil {
                relays.push(Self.job, for: Self.lease, to: session)
            }
            await Task.yield()
        }
        try await client.value
    }
}
