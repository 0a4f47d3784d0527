import SandpoolAPI
import SandpoolModel
import SandpoolStore
import Testing

@testable import SandpoolCoordinator

/// What becomes of leases and ends of which nobody can say whether they were stored, step by step.
@Suite struct DoubtStepTests {
    /// A worker whose lease failed in doubt, and that went with it; the store is asked what it holds.
    private func doubt(_ core: inout SteppedCoordinator) throws -> WorkerID {
        let worker = core.id(WorkerID.self)
        let session = try core.open(1, worker)
        _ = try core.lease(worker)
        try core.fail(.scheduler, .io("commit"))
        core.feed(.closed(session))
        core.turn(.leases)
        #expect(core.calls[.leases] == .liveAttempts(worker))
        return worker
    }

    @Test func aLeaseThatWasStoredAfterAllIsJudgedThoughItsWorkerNeverComesBack() throws {
        var core = SteppedCoordinator()
        let worker = try doubt(&core)
        try core.fail(.leases, .io("read"))
        core.advance(seconds: 1)
        try core.ring(.leases)
        let attempt = core.live(of: worker, .leased)
        #expect(try core.answer(.leases, .live([attempt])) == .liveAttempts(worker))
        #expect(core.state.attempt(attempt.lease) != nil)
        core.advance(seconds: 34)
        try core.ring(.leases)
        #expect(try core.answer(.leases, .done) == .setUnreachable(worker, true))
        core.advance(seconds: 85)
        try core.ring(.leases)
        guard case .recordLosses(let losses) = core.calls[.leases] else { throw TestFailure("it waits for ever") }
        #expect(losses.map(\.lease) == [attempt.lease])
    }

    @Test func theInventoryOfAWorkerThatComesBackIsNewer() throws {
        var core = SteppedCoordinator()
        let worker = try doubt(&core)
        let attempt = core.live(of: worker, .leased)
        let (session, hello) = (SessionID(2), core.hello(worker))
        core.feed(.opened(session, hello, token: nil))
        try core.answer(.session(session), SteppedCoordinator.enrolled(hello))
        try core.answer(.session(session), .live([attempt]))
        try core.answer(.session(session), .ends([SteppedCoordinator.recorded(attempt.job, .queued)]))
        try core.answer(.leases, .live([attempt]))
        #expect(core.state.attempts(of: worker).isEmpty)
    }

    @Test func whatEndsWhileTheStoreIsAskedIsNotTakenUp() throws {
        var core = SteppedCoordinator()
        let worker = try doubt(&core)
        let attempt = core.live(of: worker, .leased)
        let command = CommandID(1)
        core.feed(.command(command, .forget(worker)))
        try core.answer(.command(command), .live([attempt]))
        try core.answer(.command(command), .ends([SteppedCoordinator.recorded(attempt.job, .queued)]))
        try core.answer(.leases, .live([attempt]))
        #expect(core.state.attempts(of: worker).isEmpty)
    }

    @Test func anEndThatWasStoredAfterAllIsSeenInTheNextInventory() throws {
        var core = SteppedCoordinator()
        let worker = core.id(WorkerID.self)
        let attempt = core.live(of: worker, .leased)
        let session = try core.open(1, worker, holding: [attempt])
        core.feed(.reported(session, .returned([attempt.lease]), bytes: 1))
        core.turn(.session(session))
        try core.fail(.session(session), .io("sync"))
        #expect(core.state.attempt(attempt.lease) != nil, "nobody knows")
        core.feed(.closed(session))
        _ = try core.open(2, worker)
        #expect(core.state.attempts(of: worker).isEmpty)
    }

    /// A worker's attempt whose start failed in doubt, and that went with it; the store has it as started.
    private func started(_ core: inout SteppedCoordinator, _ worker: WorkerID) throws -> LiveAttempt {
        var attempt = core.live(of: worker, .preparing)
        let session = try core.open(1, worker, holding: [attempt])
        core.feed(.reported(session, .progress([Self.start(of: attempt)]), bytes: 1))
        core.turn(.session(session))
        try core.fail(.session(session), .io("sync"))
        #expect(core.state.attempt(attempt.lease)?.state == .preparing, "nobody knows")
        core.feed(.closed(session))
        attempt.state = .running
        return attempt
    }

    private static func start(of attempt: LiveAttempt) -> ProgressReport {
        ProgressReport(lease: attempt.lease, step: .started, at: SteppedCoordinator.start)
    }

    private static func tellsOfStart(_ effects: [CoordinatorState.Effect], _ job: JobID) -> Bool {
        effects.contains { if case .publish(job, .state(.running, _)) = $0 { true } else { false } }
    }

    @Test func aStartThatWasStoredAfterAllIsSeenInTheNextInventory() throws {
        var core = SteppedCoordinator()
        let worker = core.id(WorkerID.self)
        let attempt = try started(&core, worker)
        let (session, hello) = (SessionID(2), core.hello(worker, held: [.init(attempt)]))
        core.feed(.opened(session, hello, token: nil))
        try core.answer(.session(session), SteppedCoordinator.enrolled(hello))
        _ = core.take()
        try core.answer(.session(session), .live([attempt]))
        #expect(core.state.attempt(attempt.lease)?.state == .running)
        #expect(Self.tellsOfStart(core.take(), attempt.job))
    }

    @Test func aStartThatWasStoredAfterAllIsKnownWhenItIsReportedAgain() throws {
        var core = SteppedCoordinator()
        let worker = core.id(WorkerID.self)
        let attempt = try started(&core, worker)
        var listed = attempt
        listed.state = .preparing
        let session = try core.open(2, worker, holding: [listed])
        for isNews in [true, false] {
            core.feed(.reported(session, .progress([Self.start(of: attempt)]), bytes: 1))
            core.turn(.session(session))
            try core.answer(.session(session), .verdicts([.duplicate]))
            #expect(core.state.attempt(attempt.lease)?.state == .running)
            #expect(Self.tellsOfStart(core.take(), attempt.job) == isNews)
        }
    }

    @Test func whatWasListedForASessionThatIsOverIsNoNews() throws {
        var core = SteppedCoordinator()
        let worker = core.id(WorkerID.self)
        let ended = core.live(of: worker)
        let (first, hello) = (SessionID(1), core.hello(worker))
        core.feed(.opened(first, hello, token: nil))
        try core.answer(.session(first), SteppedCoordinator.enrolled(hello))
        core.feed(.closed(first))
        _ = try core.open(2, worker)
        _ = try core.lease(worker)
        let lease = LeaseKey(attempt: core.id(), epoch: 1, worker: worker)
        try core.answer(.scheduler, .leased([.leased(lease, spec: JobSpec(command: ["true"]))]))
        #expect(try core.answer(.session(first), .live([ended])) == .liveAttempts(worker))
        #expect(core.state.attempts(of: worker).map(\.lease) == [lease])
        #expect(core.calls.isEmpty)
    }
}
