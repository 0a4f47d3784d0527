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

    // MARK: What cannot be read

    /// The result goes without what is behind, and says so; the other stream goes on.
    @Test func aStreamEndsWhereItCannotBeRead() throws {
        var worker = SteppedWorker.ready()
        worker.run(1)
        worker.step(.spoolsGrew(Samples.attempt(1), stdout: 1 << 20, stderr: 100_000))
        let first = try #require(chunks(worker.state.takeOutbound()).last)
        let effects = worker.step(.unreadable(first.lease, .stdout, offset: first.offset, "pread spool: EIO"))
        #expect(effects.contains(.wakeWriter))
        worker.step(.spoolsGrew(Samples.attempt(1), stdout: 2 << 20, stderr: 100_000))
        #expect(chunks(worker.state.takeOutbound()).isEmpty)
        worker.hear(.outputDurable(first.lease, stdout: first.offset, stderr: 100_000))
        #expect(worker.state.unacknowledgedBytes == 0)
        let entry = try #require(worker.exit(1, stdout: 2 << 20).journaled.first)
        #expect(entry.stdout == nil)
        let loss = "stdout was lost from byte \(first.offset) on, as it could not be read: pread spool: EIO"
        #expect(entry.result.outcome.message == loss)
        worker.step(.journaled(entry.result))
        #expect(worker.sentResults() == [entry.result])
    }

    /// The digest and the sync take their time, in which the session goes on sending.
    @Test func whatCannotBeReadWhileTheResultIsWrittenIsSaidInIt() throws {
        var worker = SteppedWorker.ready()
        worker.run(1)
        worker.step(.spoolsGrew(Samples.attempt(1), stdout: 1 << 20, stderr: 0))
        let entry = try #require(worker.exit(1, stdout: 1 << 20).journaled.first)
        worker.step(.unreadable(Samples.lease(1), .stdout, offset: 0, "pread spool: EIO"))
        worker.step(.journaled(entry.result))
        let sent = try #require(worker.sentResults().first)
        #expect(sent.outcome.message == "stdout was lost from byte 0 on, as it could not be read: pread spool: EIO")
    }

    /// A spool that is shorter than its journaled tail says: the coordinator would never take the gap.
    @Test func aTailBehindTheEndOfItsSpoolIsLeftOut() throws {
        let record = AttemptRecord(
            Samples.assignment(1), bootID: SteppedWorker.bootID, usesHostImage: false, layers: [])
        var result = Samples.result(1)
        result.stdoutTail = OutputTail(offset: 60, base64: "AAAA")
        var worker = SteppedWorker(records: [record], results: [result])
        worker.connectLauncher([(.adopted(id: Samples.attempt(1).text, startedBoottimeMs: 5), SpoolSizes(stdout: 40))])
        worker.join(keep: [HeldAttempt(lease: Samples.lease(1), state: .finished, stdoutBytes: 0, stderrBytes: 0)])
        let items = worker.state.takeOutbound()
        #expect(chunks(items).map(\.count) == [40])
        let sent = items.compactMap { if case .message(.results(let results)) = $0 { results.first } else { nil } }
        #expect(sent.map(\.outcome.exitCode) == [result.outcome.exitCode] && sent.allSatisfy { $0.stdoutTail == nil })
    }

    /// A result that was to go along with the bytes goes after all, and no tail of it leaves a gap.
    @Test func aResultThatWentWithWhatCannotBeReadGoesAgain() throws {
        let record = AttemptRecord(
            Samples.assignment(1), bootID: SteppedWorker.bootID, usesHostImage: false, layers: [])
        var result = Samples.result(1)
        result.stdoutTail = OutputTail(offset: 60, base64: "AAAA")
        var worker = SteppedWorker(records: [record], results: [result])
        worker.connectLauncher([(.adopted(id: Samples.attempt(1).text, startedBoottimeMs: 5), SpoolSizes(stdout: 63))])
        worker.join(keep: [HeldAttempt(lease: Samples.lease(1), state: .finished, stdoutBytes: 0, stderrBytes: 0)])
        #expect(worker.state.takeOutbound().count == 2)
        worker.step(.unreadable(Samples.lease(1), .stdout, offset: 0, "pread spool: EIO"))
        let again = try #require(worker.sentResults().first)
        #expect(again.stdoutTail == nil && again.outcome.message?.contains("lost from byte 0 on") == true)
        #expect(again.outcome.exitCode == result.outcome.exitCode)
        #expect(worker.sentResults() == [])
    }

    @Test func whatIsHeldUnderAnotherLeaseLosesNothing() {
        var worker = SteppedWorker.ready()
        worker.run(1)
        worker.step(.spoolsGrew(Samples.attempt(1), stdout: 1 << 20, stderr: 0))
        var lease = Samples.lease(1)
        lease.epoch += 1
        #expect(worker.step(.unreadable(lease, .stdout, offset: 0, "EIO")) == [])
        #expect(!chunks(worker.state.takeOutbound()).isEmpty)
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
