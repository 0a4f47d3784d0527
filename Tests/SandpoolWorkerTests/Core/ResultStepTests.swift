import SandpoolAPI
import SandpoolModel
import SandpoolSandbox
import Testing

@testable import SandpoolWorker

/// A result is on disk before anything of its sandbox goes, and here until the coordinator has answered it.
@Suite struct ResultStepTests {
    private let lease = Samples.lease(1)
    private let id = Samples.attempt(1).text

    @Test(arguments: [RecordedResult.Verdict.recorded, .duplicate, .fenced])
    func theSandboxGoesWhenTheCoordinatorHasAnswered(verdict: RecordedResult.Verdict) throws {
        var worker = SteppedWorker.ready()
        worker.run(1)
        let ended = worker.exit(1)
        let entry = try #require(ended.journaled.first)
        #expect(ended.asked == [])
        #expect(worker.sentResults() == [])
        let kept = worker.step(.journaled(entry.result))
        #expect(kept.asked == [])
        #expect(worker.sentResults() == [entry.result])
        #expect(
            worker.hear(.recorded([RecordedResult(lease: lease, verdict: verdict)])) == [
                .settle(lease), .forget(lease, layers: ["l1"], hasDownloads: false), .ask(.release(id: id)),
                .wakeWriter,
            ])
        #expect(worker.state.isAtRest)
    }

    @Test func aResultIsRepeatedInEachSessionUntilItIsAnswered() {
        var worker = SteppedWorker.ready()
        worker.report(1)
        for _ in 0..<3 {
            worker.loseSession()
            #expect(worker.state.hello(images: []).held.map(\.state) == [.finished])
            worker.join()
            #expect(worker.sentResults().map(\.lease) == [lease])
            #expect(worker.sentResults() == [])
        }
        // An answer to what a session before asked comes too late for nothing.
        worker.hear(.recorded([RecordedResult(lease: lease, verdict: .duplicate)]))
        worker.join()
        #expect(worker.sentResults() == [])
    }

    @Test func anAnswerUnderAnotherEpochIsOfAnotherAttempt() {
        var worker = SteppedWorker.ready()
        worker.report(1)
        let other = Samples.lease(1, epoch: 2)
        for message in [
            CoordinatorMessage.recorded([RecordedResult(lease: other, verdict: .fenced)]), .kill(other), .cancel(other),
            .outputDurable(other, stdout: 1, stderr: 1), .signal(other, signal: 15),
        ] {
            #expect(worker.hear(message) == [])
        }
        #expect(worker.step(.message(.kill(lease), session: worker.state.sessionNumber + 1)) == [])
        #expect(worker.state.inventory.map(\.lease) == [lease])
    }

    @Test func aKillThatComesAfterTheEndDropsNoResult() throws {
        var worker = SteppedWorker.ready()
        worker.run(1)
        let entry = try #require(worker.exit(1).journaled.first)
        #expect(worker.hear(.kill(lease)) == [])
        worker.step(.journaled(entry.result))
        #expect(worker.hear(.kill(lease)) == [])
        #expect(worker.sentResults() == [entry.result])
        worker.hear(.recorded([RecordedResult(lease: lease, verdict: .fenced)]))
        #expect(worker.state.isAtRest)
    }

    @Test func aKillBeforeTheEndLeavesNoResult() {
        var worker = SteppedWorker.ready()
        worker.run(1)
        #expect(worker.hear(.kill(lease)) == [.ask(.cancel(id: id, graceMs: 0))])
        #expect(worker.state.inventory == [])
        #expect(
            worker.exit(1, .killed, reason: .cancelled) == [
                .forget(lease, layers: ["l1"], hasDownloads: false), .ask(.release(id: id)), .wakeWriter,
            ])
        #expect(worker.state.isAtRest)
    }

    /// The disk may have room again; the output that rides along must not have got lost meanwhile.
    @Test func aRefusedJournalIsAskedAgainForTheSameResult() throws {
        var worker = SteppedWorker.ready()
        worker.run(1)
        let first = try #require(worker.exit(1, stdout: 100).journaled.first)
        #expect(first.stdout == 0..<100)
        let refused = worker.step(.journalFailed(lease, "no room"))
        #expect(refused == [.log("no room"), .wake(afterMs: 1_000, .retryJournal(lease))])
        let second = worker.step(.fired(.retryJournal(lease)), afterMs: 1_000)
        #expect(second.journaled == [first])
        // Fired twice, it must not write a second one that has no tails.
        #expect(worker.step(.fired(.retryJournal(lease))) == [])
        worker.step(.journaled(first.result))
        #expect(worker.step(.fired(.retryJournal(lease))) == [])
    }

    @Test func tailsThatCannotBeReadGoUpInFramesBeforeTheResult() throws {
        var worker = SteppedWorker.ready()
        worker.run(1)
        let entry = try #require(worker.exit(1, stdout: 100).journaled.first)
        worker.step(.journaled(entry.result))
        #expect(
            worker.state.takeOutbound() == [
                .output(lease, .stdout, offset: 0, count: 100), .message(.results([entry.result])),
            ])
    }

    @Test func whatTheResultCarriesIsInNoFrame() throws {
        var worker = SteppedWorker.ready()
        worker.run(1)
        worker.step(.spoolsGrew(Samples.attempt(1), stdout: 60, stderr: 0))
        worker.step(.fired(.openOutput(lease)), afterMs: 3)
        #expect(worker.state.takeOutbound() == [.output(lease, .stdout, offset: 0, count: 60)])
        let entry = try #require(worker.exit(1, stdout: 100).journaled.first)
        #expect(entry.stdout == 60..<100)
        var written = entry.result
        written.stdoutTail = OutputTail(offset: 60, base64: "AAAA")
        worker.step(.journaled(written))
        #expect(worker.state.takeOutbound() == [.message(.results([written]))])
        // A coordinator that lost the frame gets it again, and the tail with the result.
        worker.join(
            keep: [HeldAttempt(lease: lease, state: .finished, stdoutBytes: 0, stderrBytes: 0)])
        let items: [WorkerState.Item] = [
            .output(lease, .stdout, offset: 0, count: 60), .message(.results([written])),
        ]
        #expect(worker.state.takeOutbound() == items)
    }

    /// Few ends go at once; many wait for company, for a few milliseconds.
    @Test func endsOfABusyHostGoTogether() {
        var worker = SteppedWorker.ready()
        let count = 12
        for number in 0..<count { worker.run(number) }
        let first = worker.exit(0)
        #expect(first.journaled.isEmpty && first.timers.count == 1)
        #expect(worker.exit(1) == [])
        guard let timer = first.timers.first else { return }
        let together = worker.step(.fired(timer), afterMs: 20).journaled
        #expect(together.map(\.result.lease) == [Samples.lease(0), Samples.lease(1)])
        // The timer of a group that went already leaves the next one alone.
        #expect(worker.exit(2).journaled == [])
        #expect(worker.step(.fired(timer)) == [])
    }

    /// The coordinator has recorded the end and takes no output of it any more: what it does not acknowledge would hold
    /// up the output of all others.
    @Test func aResultThatIsRecordedNeedsNoOutput() {
        var worker = SteppedWorker.ready()
        worker.run(1)
        let bytes: Int64 = 8 << 20
        for effect in worker.exit(1, stdout: bytes).journaled { worker.step(.journaled(effect.result)) }
        worker.loseSession()
        worker.join(keep: [HeldAttempt(lease: lease, state: .finished, stdoutBytes: bytes - 1, stderrBytes: 0)])
        #expect(worker.state.takeOutbound().first == .output(lease, .stdout, offset: bytes - 1, count: 1))
        worker.loseSession()
        worker.join()
        #expect(worker.sentResults().map(\.lease) == [lease])
    }

    /// The host went down with the spools, and the journal did not.
    @Test(arguments: [(Int64(4), true), (5, true), (3, false)])
    func aTailThatFollowsOnNothingIsLeftOut(durable: Int64, isKept: Bool) {
        var result = Samples.result(1)
        result.stdoutTail = OutputTail(offset: 4, base64: "AAAA")
        var worker = SteppedWorker(results: [result])
        worker.connectLauncher()
        worker.join(keep: [HeldAttempt(lease: lease, state: .finished, stdoutBytes: durable, stderrBytes: 0)])
        let sent = worker.sentResults().first
        #expect((sent?.stdoutTail != nil) == isKept)
        #expect(sent?.outcome == result.outcome)
    }
}
