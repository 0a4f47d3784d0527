import SandpoolAPI
import SandpoolModel
import Testing

@testable import SandpoolWorker

/// What goes up, and how much of it at a time.
@Suite struct OutboundStepTests {
    private func chunks(_ items: [WorkerState.Item]) -> [(lease: AttemptLease, offset: Int64, count: Int)] {
        items.compactMap {
            if case .output(let lease, .stdout, let offset, let count) = $0 { (lease, offset, count) } else { nil }
        }
    }

    @Test func nothingGoesUpBeforeTheWelcome() {
        var worker = SteppedWorker.ready()
        worker.run(1)
        worker.step(.spoolsGrew(Samples.attempt(1), stdout: 1 << 20, stderr: 0))
        worker.step(.sessionOpens)
        #expect(worker.state.takeOutbound() == [])
        #expect(!worker.step(.spoolsGrew(Samples.attempt(1), stdout: 2 << 20, stderr: 0)).contains(.wakeWriter))
        #expect(worker.welcome().contains(.wakeWriter))
        #expect(!worker.state.takeOutbound().isEmpty)
    }

    @Test func whatIsNotDurableIsBounded() {
        var worker = SteppedWorker.ready()
        worker.run(1)
        let bytes: Int64 = 10 << 20
        worker.step(.spoolsGrew(Samples.attempt(1), stdout: bytes, stderr: 0))
        var sent: Int64 = 0
        var durable: Int64 = 0
        while durable < bytes {
            while case let pieces = chunks(worker.state.takeOutbound()), !pieces.isEmpty {
                #expect(pieces.reduce(0) { $0 + $1.count } <= WorkerState.Limits.bytesPerWrite + Frame.chunkBytes)
                for piece in pieces {
                    #expect(piece.offset == sent)
                    sent += Int64(piece.count)
                }
            }
            #expect(sent == min(bytes, durable + WorkerState.Limits.unacknowledgedBytes))
            durable = min(sent, durable + 1 << 20)
            worker.hear(.outputDurable(Samples.lease(1), stdout: durable, stderr: 0))
        }
        #expect(sent == bytes && worker.state.unacknowledgedBytes == 0)
    }

    @Test func attemptsTakeTurns() {
        var worker = SteppedWorker.ready()
        for number in 1...3 {
            worker.run(number)
            worker.step(.spoolsGrew(Samples.attempt(number), stdout: 1 << 20, stderr: 0))
        }
        let leases = chunks(worker.state.takeOutbound()).map(\.lease)
        #expect(Set(leases.prefix(3)) == Set((1...3).map { Samples.lease($0) }))
    }

    /// A window that an attempt held open is there for others when it is gone.
    @Test func anAttemptThatIsForgottenGivesItsWindowBack() {
        var worker = SteppedWorker.ready()
        worker.run(1)
        worker.step(.spoolsGrew(Samples.attempt(1), stdout: 1 << 20, stderr: 0))
        _ = worker.state.takeOutbound()
        #expect(worker.state.unacknowledgedBytes > 0)
        worker.hear(.kill(Samples.lease(1)))
        worker.exit(1, .killed, reason: .cancelled)
        #expect(worker.state.unacknowledgedBytes == 0)
    }

    /// Word of a start waits for the end, which says it as well.
    @Test func aShortJobIsOneMessage() throws {
        var worker = SteppedWorker.ready()
        _ = worker.sent()
        worker.run(1)
        let result = try #require(worker.exit(1).journaled.first?.result)
        worker.step(.fired(.tellStart(Samples.lease(1))), afterMs: 30)
        worker.step(.journaled(result))
        #expect(worker.sent() == [.results([result])])
    }

    @Test func aLongJobIsToldOfWhenItGoesOn() {
        var worker = SteppedWorker.ready()
        worker.run(1)
        let startedAt = worker.state.attempts[Samples.attempt(1)]?.startedAt
        worker.step(.fired(.tellStart(Samples.lease(1))), afterMs: 30)
        worker.step(.fired(.tellStart(Samples.lease(1))))
        let steps = worker.sent().flatMap { if case .progress(let steps) = $0 { steps } else { [AttemptProgress]() } }
        #expect(steps.map(\.state) == [.running] && steps.map(\.at) == [startedAt])
    }

    @Test func stdinThatWasTakenIsToldOnce() {
        var worker = SteppedWorker.ready()
        worker.run(1)
        _ = worker.sent()
        worker.step(.inputConsumed(Samples.lease(1), offset: 5))
        worker.step(.inputConsumed(Samples.lease(1), offset: 9))
        worker.step(.inputConsumed(Samples.lease(2), offset: 9))
        #expect(worker.sent() == [.inputConsumed(Samples.lease(1), offset: 9)])
    }
}
