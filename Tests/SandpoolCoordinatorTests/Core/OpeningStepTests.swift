import SandpoolAPI
import SandpoolModel
import SandpoolStore
import Testing

@testable import SandpoolCoordinator

/// How sessions are opened, step by step.
@Suite struct OpeningStepTests {
    @Test func aWorkerIsEnrolledThenComparedThenWelcome() throws {
        var core = SteppedCoordinator()
        let worker = core.id(WorkerID.self)
        let (kept, missing) = (core.live(of: worker), core.live(of: worker, .leased))
        let stale = AttemptLease(attempt: core.id(), epoch: 1)
        let session = SessionID(1)
        let hello = core.hello(
            worker,
            held: [HeldAttempt(kept), HeldAttempt(lease: stale, state: .running, stdoutBytes: 0, stderrBytes: 0)])
        core.feed(.opened(session, hello, token: nil))
        let enrolling = try core.answer(.session(session), SteppedCoordinator.enrolled(hello))
        #expect(enrolling == .upsertWorker(WorkerRegistration(hello), token: nil))
        #expect(try core.answer(.session(session), .live([kept, missing])) == .liveAttempts(worker))
        let returned = StoreAnswer.ends([SteppedCoordinator.recorded(missing.job, .queued)])
        #expect(try core.answer(.session(session), returned) == .returnLeases([missing.lease]))
        #expect(core.state.session(of: worker) == nil)
        #expect(!core.sent(to: session).contains { if case .welcome = $0 { true } else { false } })
        let streams = [OutputStreamCode.stdout, .stderr].map {
            OutputStreamID(job: kept.job, attempt: kept.lease.attempt, code: $0)
        }
        #expect(try core.answer(.session(session), .flushed([7, 8])) == .flush(streams))
        var effects = core.take()
        guard case .resume(session) = effects.removeLast() else { throw TestFailure("not resumed at the end") }
        guard case .send(session, .welcome(let welcome)) = effects.first else { throw TestFailure("no welcome") }
        #expect(welcome.generation == 3)
        #expect(welcome.replaceSeconds == 120)
        #expect(welcome.kill == [stale])
        #expect(welcome.keep.map(\.lease) == [AttemptLease(kept.lease)])
        #expect(welcome.keep.first?.stdoutBytes == 7)
        #expect(welcome.keep.first?.stderrBytes == 8)
        #expect(core.state.session(of: worker) == session)
        #expect(core.turns.contains(.scheduler))
    }

    @Test func aForeignTokenChangesNothingForTheWorker() throws {
        var core = SteppedCoordinator()
        let worker = core.id(WorkerID.self)
        let first = try core.open(1, worker)
        core.feed(.opened(SessionID(2), core.hello(worker), token: nil))
        try core.fail(.session(SessionID(2)), .foreignWorker(worker))
        let effects = core.take()
        guard effects.count == 1, case .end(SessionID(2), .refuse(let error)) = effects.first else {
            throw TestFailure("\(effects)")
        }
        #expect(error.code == WorkerSession.Refusal.foreignWorker.rawValue)
        #expect(core.state.session(of: worker) == first)
    }

    @Test func aNewerSessionEndsTheOlder() throws {
        var core = SteppedCoordinator()
        let worker = core.id(WorkerID.self)
        let first = try core.open(1, worker)
        let hello = core.hello(worker)
        core.feed(.opened(SessionID(2), hello, token: nil))
        #expect(core.state.session(of: worker) == first)
        try core.answer(.session(SessionID(2)), SteppedCoordinator.enrolled(hello))
        guard case .end(first, .abort) = core.take().first else { throw TestFailure("the older session goes on") }
        #expect(core.state.session(of: worker) == nil)
        // What it still says is not taken for news.
        core.feed(.heartbeat(first, sentMs: 1))
        #expect(core.sent(to: first).isEmpty)
        try core.answer(.session(SessionID(2)), .live([]))
        #expect(core.state.session(of: worker) == SessionID(2))
        core.feed(.closed(first))
        #expect(core.state.session(of: worker) == SessionID(2), "the end of the older one is not that of the newer")
    }

    @Test(arguments: [true, false])
    func ofTwoThatOpenAtOnceTheNewerIsTheWorkers(isNewerFirst: Bool) throws {
        var core = SteppedCoordinator()
        let worker = core.id(WorkerID.self)
        let (older, newer) = (SessionID(1), SessionID(2))
        let hello = core.hello(worker)
        core.feed(.opened(older, hello, token: nil))
        core.feed(.opened(newer, hello, token: nil))
        for session in isNewerFirst ? [newer, older] : [older, newer] {
            try core.answer(.session(session), SteppedCoordinator.enrolled(hello))
        }
        #expect(core.calls[.session(newer)] == .liveAttempts(worker))
        // The older one may have asked before it was outdone; the answer leads to nothing.
        if core.calls[.session(older)] != nil { try core.answer(.session(older), .live([])) }
        #expect(core.calls[.session(older)] == nil)
        try core.answer(.session(newer), .live([]))
        #expect(core.state.session(of: worker) == newer)
    }

    @Test func whatAnOutdoneSessionStoredIsPassedOn() throws {
        var core = SteppedCoordinator()
        let worker = core.id(WorkerID.self)
        let missing = core.live(of: worker, .leased)
        let hello = core.hello(worker)
        core.feed(.opened(SessionID(1), hello, token: nil))
        try core.answer(.session(SessionID(1)), SteppedCoordinator.enrolled(hello))
        try core.answer(.session(SessionID(1)), .live([missing]))
        core.feed(.closed(SessionID(1)))
        #expect(core.state.attempt(missing.lease) != nil)
        try core.answer(.session(SessionID(1)), .ends([SteppedCoordinator.recorded(missing.job, .queued)]))
        #expect(core.state.attempt(missing.lease) == nil)
        #expect(core.state.session(of: worker) == nil)
        #expect(core.calls[.session(SessionID(1))] == nil)
    }

    @Test func aHelloThatTheNetworkHeldBackIsNoNews() throws {
        var core = SteppedCoordinator()
        let worker = core.id(WorkerID.self)
        var (early, late) = (core.hello(worker), core.hello(worker))
        (early.sentMs, late.sentMs) = (1_000, 2_000)
        core.feed(.opened(SessionID(1), late, token: nil))
        try core.answer(.session(SessionID(1)), SteppedCoordinator.enrolled(late))
        try core.answer(.session(SessionID(1)), .live([]))
        core.feed(.opened(SessionID(2), early, token: nil))
        #expect(core.calls[.session(SessionID(2))] == nil)
        #expect(core.state.session(of: worker) == SessionID(1))
        // Another boot's clock says nothing about it, and after a long silence the clock may have been set back.
        early.bootID = "boot-2"
        core.feed(.opened(SessionID(3), early, token: nil))
        #expect(core.calls[.session(SessionID(3))] != nil)
        early.bootID = late.bootID
        core.advance(seconds: 120)
        core.feed(.opened(SessionID(4), early, token: nil))
        #expect(core.calls[.session(SessionID(4))] != nil)
    }

    @Test func anInventoryWaitsForALeaseThatIsUnderWay() throws {
        var core = SteppedCoordinator()
        let worker = core.id(WorkerID.self)
        _ = try core.open(1, worker)
        let job = try core.lease(worker)
        let hello = core.hello(worker)
        core.feed(.opened(SessionID(2), hello, token: nil))
        try core.answer(.session(SessionID(2)), SteppedCoordinator.enrolled(hello))
        #expect(core.calls[.session(SessionID(2))] == nil)
        core.feed(.turn(.session(SessionID(2))))
        #expect(core.calls[.session(SessionID(2))] == nil, "a turn of its own does not let it go on")
        let lease = LeaseKey(attempt: core.id(), epoch: 1, worker: worker)
        try core.answer(.scheduler, .leased([.leased(lease, spec: JobSpec(command: ["true"]))]))
        #expect(core.state.attempt(of: job)?.lease == lease)
        #expect(core.sent(to: SessionID(2)).isEmpty, "its inventory gives the lease back")
        core.turn(.session(SessionID(2)))
        #expect(core.calls[.session(SessionID(2))] == .liveAttempts(worker))
    }

    @Test func whatEndsDuringTheComparisonIsKilled() throws {
        var core = SteppedCoordinator()
        let worker = core.id(WorkerID.self)
        let attempt = core.live(of: worker)
        let hello = core.hello(worker, held: [HeldAttempt(attempt)])
        core.feed(.recovered(workers: [], live: [attempt]))
        // A silence that ends just when its loss is on its way into the store.
        core.advance(seconds: 35)
        try core.ring(.leases)
        try core.answer(.leases, .done)
        core.advance(seconds: 85)
        try core.ring(.leases)
        #expect(core.calls[.leases] != nil)
        core.feed(.opened(SessionID(1), hello, token: nil))
        try core.answer(.session(SessionID(1)), SteppedCoordinator.enrolled(hello))
        try core.answer(.session(SessionID(1)), .live([attempt]))
        try core.answer(.leases, .ends([SteppedCoordinator.recorded(attempt.job, .queued)]))
        try core.answer(.session(SessionID(1)), .flushed([0, 0]))
        guard case .welcome(let welcome) = core.sent(to: SessionID(1)).first else { throw TestFailure("no welcome") }
        #expect(welcome.keep.isEmpty)
        #expect(welcome.kill == [AttemptLease(attempt.lease)])
    }

    @Test func aCancelThatFindsTheWorkerAwayIsToldWhenItIsBack() throws {
        var core = SteppedCoordinator()
        let worker = core.id(WorkerID.self)
        let attempt = core.live(of: worker)
        let hello = core.hello(worker, held: [HeldAttempt(attempt)])
        core.feed(.opened(SessionID(1), hello, token: nil))
        try core.answer(.session(SessionID(1)), SteppedCoordinator.enrolled(hello))
        try core.answer(.session(SessionID(1)), .live([attempt]))
        core.feed(.command(CommandID(9), .cancel(attempt.job)))
        try core.answer(.command(CommandID(9)), .cancelled(.requested(attempt.lease)))
        #expect(core.sent(to: SessionID(1)).isEmpty)
        try core.answer(.session(SessionID(1)), .flushed([0, 0]))
        #expect(core.sent(to: SessionID(1)).contains(.cancel(AttemptLease(attempt.lease))))
    }

    @Test func anotherBootLosesWhatRan() throws {
        var core = SteppedCoordinator()
        let worker = core.id(WorkerID.self)
        let (running, leased) = (core.live(of: worker), core.live(of: worker, .leased))
        let hello = core.hello(worker, boot: "boot-2")
        core.feed(.opened(SessionID(1), hello, token: nil))
        try core.answer(.session(SessionID(1)), SteppedCoordinator.enrolled(hello))
        try core.answer(.session(SessionID(1)), .live([running, leased]))
        guard case .recordLosses(let losses) = core.calls[.session(SessionID(1))] else {
            throw TestFailure("nothing is lost")
        }
        #expect(losses.map(\.lease) == [running.lease, leased.lease])
    }

    /// The store takes the new boot with the hello; what was lost by it is recorded only after the comparison.
    @Test func aCoordinatorThatCrashesInBetweenKnowsTheRestartAllTheSame() throws {
        var core = SteppedCoordinator()
        let worker = core.id(WorkerID.self)
        let attempts = [core.live(of: worker, .leased, rerun: .never), core.live(of: worker, .preparing, rerun: .never)]
        let hello = core.hello(worker, boot: "boot-2")
        core.feed(.opened(SessionID(1), hello, token: nil))
        try core.answer(.session(SessionID(1)), SteppedCoordinator.enrolled(hello))
        // Here it crashes; the next one finds the new boot in the worker's row.
        var next = SteppedCoordinator()
        let record = WorkerRecord(
            registration: WorkerRegistration(hello), drain: nil, enrolledAt: SteppedCoordinator.start,
            lastSeenAt: SteppedCoordinator.start)
        next.feed(.recovered(workers: [record], live: attempts))
        next.feed(.opened(SessionID(1), hello, token: nil))
        try next.answer(.session(SessionID(1)), SteppedCoordinator.enrolled(hello))
        try next.answer(.session(SessionID(1)), .live(attempts))
        let losses = attempts.map { LossReport.workerLost($0.lease, "the worker's host was restarted") }
        #expect(next.calls[.session(SessionID(1))] == .recordLosses(losses), "they may have run: none is returned")
    }

    @Test(arguments: [true, false])
    func aConnectionThatIsOverAtOnceLeavesNothing(isClosedFirst: Bool) throws {
        var core = SteppedCoordinator()
        let worker = core.id(WorkerID.self)
        let (session, hello) = (SessionID(1), core.hello(worker))
        if isClosedFirst { core.feed(.closed(session)) }
        core.feed(.opened(session, hello, token: nil))
        if !isClosedFirst {
            core.feed(.closed(session))
            try core.answer(.session(session), SteppedCoordinator.enrolled(hello))
        }
        #expect(core.calls.isEmpty)
        #expect(core.take().isEmpty)
        #expect(core.state.session(of: worker) == nil)
        #expect(core.state.sessions.ids.isEmpty && core.state.sessions.ids(of: worker).isEmpty)
    }

    @Test func nobodyComesInWhileItStops() throws {
        var core = SteppedCoordinator()
        let worker = core.id(WorkerID.self)
        let session = try core.open(1, worker)
        core.feed(.stopping)
        guard case .end(session, .close) = core.take().first else { throw TestFailure("it goes on") }
        core.feed(.opened(SessionID(2), core.hello(worker), token: nil))
        guard case .end(SessionID(2), .close) = core.take().first else { throw TestFailure("it came in") }
        #expect(core.calls.isEmpty)
    }
}
