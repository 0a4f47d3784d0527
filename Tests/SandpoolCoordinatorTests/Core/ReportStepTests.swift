import SandpoolAPI
import SandpoolModel
import SandpoolStore
import Testing

@testable import SandpoolCoordinator

/// How reports and output of open sessions are taken, step by step.
@Suite struct ReportStepTests {
    @Test func whatComesDuringACommitSharesTheNext() throws {
        var core = SteppedCoordinator()
        let worker = core.id(WorkerID.self)
        let attempts = (0..<3).map { _ in core.live(of: worker) }
        let session = try core.open(1, worker, holding: attempts)
        core.feed(.reported(session, .results([core.result(attempts[0].lease)]), bytes: 1))
        #expect(core.calls.isEmpty, "it waits for its turn")
        core.turn(.session(session))
        for attempt in attempts[1...] {
            core.feed(.reported(session, .results([core.result(attempt.lease)]), bytes: 1))
        }
        #expect(!core.turns.contains(.session(session)), "it is at work")
        try core.answer(.session(session), .flushed([0, 0]))
        let first = try core.answer(.session(session), .ends([SteppedCoordinator.recorded(attempts[0].job)]))
        #expect(first == .recordResults([core.result(attempts[0].lease).report]))
        #expect(
            core.sent(to: session) == [
                .recorded([RecordedResult(lease: AttemptLease(attempts[0].lease), verdict: .recorded)])
            ])
        guard case .flush(let streams) = try core.answer(.session(session), .flushed([0, 0, 0, 0])) else {
            throw TestFailure("no flush")
        }
        #expect(streams.count == 4)
        #expect(core.calls[.session(session)] == .recordResults(attempts[1...].map { core.result($0.lease).report }))
    }

    @Test func sessionsRecordBesideOneAnother() throws {
        var core = SteppedCoordinator()
        let workers = (0..<2).map { _ in core.id(WorkerID.self) }
        let attempts = workers.map { core.live(of: $0) }
        for index in 0..<2 {
            let session = try core.open(UInt64(index + 1), workers[index], holding: [attempts[index]])
            core.feed(.reported(session, .returned([attempts[index].lease]), bytes: 1))
            core.turn(.session(session))
        }
        #expect(core.calls.count == 2, "one commit can serve both")
    }

    @Test func progressAndWhatIsGivenBackGoBeforeResults() throws {
        var core = SteppedCoordinator()
        let worker = core.id(WorkerID.self)
        let (ending, moving, back) = (
            core.live(of: worker), core.live(of: worker, .leased), core.live(of: worker, .leased)
        )
        let session = try core.open(1, worker, holding: [ending, moving, back])
        let steps = [ending, moving].map {
            ProgressReport(lease: $0.lease, step: .started, at: SteppedCoordinator.start)
        }
        core.feed(.reported(session, .results([core.result(ending.lease)]), bytes: 1))
        core.feed(.reported(session, .returned([back.lease]), bytes: 1))
        core.feed(.reported(session, .progress(steps), bytes: 1))
        core.turn(.session(session))
        // A result repeats what its attempt's progress said.
        #expect(try core.answer(.session(session), .verdicts([.recorded])) == .recordProgress([steps[1]]))
        #expect(core.state.attempt(moving.lease)?.state == .running)
        let ends = StoreAnswer.ends([SteppedCoordinator.recorded(back.job, .queued)])
        #expect(try core.answer(.session(session), ends) == .returnLeases([back.lease]))
        #expect(core.state.attempt(back.lease) == nil)
        try core.answer(.session(session), .flushed([0, 0]))
        try core.answer(.session(session), .ends([SteppedCoordinator.recorded(ending.job)]))
        #expect(core.state.attempt(ending.lease) == nil)
        #expect(core.calls.isEmpty)
    }

    @Test func nothingIsAnsweredThatIsNotStored() throws {
        var core = SteppedCoordinator()
        let worker = core.id(WorkerID.self)
        let attempt = core.live(of: worker)
        let session = try core.open(1, worker, holding: [attempt])
        core.feed(.reported(session, .results([core.result(attempt.lease)]), bytes: 1))
        core.turn(.session(session))
        try core.answer(.session(session), .flushed([0, 0]))
        try core.fail(.session(session), .io("sync"))
        let effects = core.take()
        #expect(!effects.contains { if case .send = $0 { true } else { false } })
        #expect(effects.contains { if case .end(session, .abort) = $0 { true } else { false } })
        #expect(core.state.attempt(attempt.lease) != nil, "the worker reports it again")
    }

    @Test func aResultWhoseOutputIsMissingEndsTheSession() throws {
        var core = SteppedCoordinator()
        let worker = core.id(WorkerID.self)
        let attempt = core.live(of: worker)
        let session = try core.open(1, worker, holding: [attempt])
        var result = core.result(attempt.lease)
        result.stderrStart = 11
        core.feed(.reported(session, .results([result]), bytes: 1))
        core.turn(.session(session))
        try core.answer(.session(session), .flushed([10, 10]))
        #expect(core.calls.isEmpty)
        #expect(core.state.session(of: worker) == nil)
    }

    @Test func anotherWorkersClaimDoesNotTouchAnAttempt() throws {
        var core = SteppedCoordinator()
        let (owner, thief) = (core.id(WorkerID.self), core.id(WorkerID.self))
        let attempt = core.live(of: owner)
        _ = try core.open(1, owner, holding: [attempt])
        let session = try core.open(2, thief)
        var lease = attempt.lease
        lease.worker = thief
        core.feed(.reported(session, .results([core.result(lease)]), bytes: 1))
        core.turn(.session(session))
        try core.answer(.session(session), .ends([EndAnswer(verdict: .fenced, change: nil)]))
        #expect(
            core.sent(to: session) == [.recorded([RecordedResult(lease: AttemptLease(lease), verdict: .fenced)])])
        #expect(core.state.attempt(attempt.lease) != nil)
    }

    @Test func aWorkerWithTooMuchToSayIsNotReadFrom() throws {
        var core = SteppedCoordinator()
        let worker = core.id(WorkerID.self)
        let session = try core.open(1, worker)
        func isPaused(_ effects: [CoordinatorState.Effect]) -> Bool? {
            effects.compactMap { effect -> Bool? in
                switch effect {
                case .pause(session): true
                case .resume(session): false
                default: nil
                }
            }.last
        }
        core.feed(.reported(session, .returned([core.live(of: worker).lease]), bytes: ReportBatch.byteLimit))
        #expect(isPaused(core.take()) == nil)
        core.feed(.reported(session, .returned([core.live(of: worker).lease]), bytes: 1))
        #expect(isPaused(core.take()) == true)
        core.turn(.session(session))
        #expect(isPaused(core.take()) == false)
    }

    /// It would wait for a recording that never comes.
    @Test func whatHoldsNothingPausesNobody() throws {
        var core = SteppedCoordinator()
        let session = try core.open(1, core.id())
        for report in [WorkerReport.progress([]), .returned([]), .results([])] {
            core.feed(.reported(session, report, bytes: ReportBatch.byteLimit + 1))
        }
        #expect(core.take().isEmpty)
        #expect(!core.turns.contains(.session(session)))
    }

    // MARK: Output

    @Test func outputIsAcknowledgedOnceItIsDurable() throws {
        var core = SteppedCoordinator()
        let worker = core.id(WorkerID.self)
        let attempt = core.live(of: worker)
        let session = try core.open(1, worker, holding: [attempt])
        let stream = OutputStreamID(job: attempt.job, attempt: attempt.lease.attempt, code: .stdout)
        var range = OutputRange(attempt: attempt.lease.attempt, epoch: 1, stream: .stdout, offset: 0, count: 5)
        core.feed(.output(session, range))
        guard case .append(session, stream, 0, 5) = core.take().first else { throw TestFailure("not placed") }
        core.feed(.appended(session, .stored(end: 5)))
        guard case .publishOutput(session, stream, 0) = core.take().first else { throw TestFailure("not shown") }
        let lease = AttemptLease(attempt.lease)
        core.feed(.output(session, range))
        core.feed(.appended(session, .repeated(end: 5)))
        #expect(core.sent(to: session) == [.outputDurable(lease, stdout: 0, stderr: 0)], "it is not durable yet")
        core.feed(.synced(stream, end: 5))
        #expect(core.sent(to: session) == [.outputDurable(lease, stdout: 5, stderr: 0)])
        range.offset = 9
        core.feed(.output(session, range))
        core.feed(.appended(session, .gap(end: 5)))
        #expect(core.state.session(of: worker) == nil, "a hole ends the session")
    }

    @Test func outputOfAnotherEpochIsDropped() throws {
        var core = SteppedCoordinator()
        let worker = core.id(WorkerID.self)
        let attempt = core.live(of: worker)
        let session = try core.open(1, worker, holding: [attempt])
        core.feed(
            .output(
                session, OutputRange(attempt: attempt.lease.attempt, epoch: 2, stream: .stdout, offset: 0, count: 5)))
        #expect(core.take().isEmpty)
        // An answer that nothing asked for is none.
        core.feed(.appended(session, .gap(end: 0)))
        #expect(core.state.session(of: worker) == session)
    }

    @Test func outputThatCannotBeStoredEndsTheSession() throws {
        var core = SteppedCoordinator()
        let worker = core.id(WorkerID.self)
        let attempt = core.live(of: worker)
        _ = try core.open(1, worker, holding: [attempt])
        let stream = OutputStreamID(job: attempt.job, attempt: attempt.lease.attempt, code: .stderr)
        core.feed(.syncFailed(stream, .other("EIO")))
        #expect(core.state.session(of: worker) == nil)
    }
}
