import SandpoolAPI
import SandpoolModel
import SandpoolStore
import Testing

@testable import SandpoolCoordinator

/// What becomes of workers that fall silent (design decision 6), step by step.
@Suite struct SilenceStepTests {
    @Test func silenceIsFlaggedThenReplacesWhatIsSafeThenLosesTheRest() throws {
        var core = SteppedCoordinator()
        let worker = core.id(WorkerID.self)
        let (safe, unsafe) = (core.live(of: worker), core.live(of: worker, rerun: .never))
        let session = try core.open(1, worker, holding: [safe, unsafe])
        core.advance(seconds: 35)
        try core.ring(.leases)
        guard case .end(session, .abort) = core.take().first else { throw TestFailure("the session goes on") }
        #expect(try core.answer(.leases, .done) == .setUnreachable(worker, true))
        core.advance(seconds: 84.9)
        core.feed(.turn(.leases))
        #expect(core.calls.isEmpty, "a turn too early does nothing")
        core.advance(seconds: 0.1)
        try core.ring(.leases)
        guard case .recordLosses(let replaced) = core.calls[.leases] else { throw TestFailure("not replaced") }
        #expect(replaced.map(\.lease) == [safe.lease])
        #expect(replaced.map(\.kind) == [.superseded])
        try core.answer(.leases, .ends([SteppedCoordinator.recorded(safe.job, .queued)]))
        core.advance(seconds: 579.9)
        core.feed(.turn(.leases))
        #expect(core.calls.isEmpty)
        core.advance(seconds: 0.1)
        try core.ring(.leases)
        guard case .recordLosses(let lost) = core.calls[.leases] else { throw TestFailure("not lost") }
        #expect(lost.map(\.lease) == [unsafe.lease], "its timeout of 100 s and ten minutes after the last sign")
        #expect(lost.map(\.kind) == [.lost])
        try core.answer(.leases, .ends([SteppedCoordinator.recorded(unsafe.job, .errored)]))
        #expect(core.take().contains { if case .publish(unsafe.job, .finished) = $0 { true } else { false } })
        #expect(core.state.attempts(of: worker).isEmpty)
    }

    @Test func aNewCoordinatorGivesWorkersTheWholeTimeToComeBack() throws {
        var core = SteppedCoordinator()
        let worker = core.id(WorkerID.self)
        var attempt = core.live(of: worker)
        attempt.unreachableSince = SteppedCoordinator.start.advanced(by: .seconds(-86_400))
        core.feed(.recovered(workers: [], live: [attempt]))
        #expect(core.calls.isEmpty && core.wakes[.leases] == core.moment.uptime + .seconds(35))
        core.advance(seconds: 34)
        core.feed(.turn(.leases))
        #expect(core.calls.isEmpty)
        // It comes back, and goes on under the same epoch.
        let hello = core.hello(worker, held: [HeldAttempt(attempt)])
        core.feed(.opened(SessionID(1), hello, token: nil))
        try core.answer(.session(SessionID(1)), SteppedCoordinator.enrolled(hello))
        try core.answer(.session(SessionID(1)), .live([attempt]))
        #expect(try core.answer(.session(SessionID(1)), .done) == .setUnreachable(worker, false))
        try core.answer(.session(SessionID(1)), .flushed([0, 0]))
        guard case .welcome(let welcome) = core.sent(to: SessionID(1)).first else { throw TestFailure("no welcome") }
        #expect(welcome.keep.map(\.lease) == [AttemptLease(attempt.lease)])
        core.advance(seconds: 34)
        try core.ring(.leases)
        #expect(core.calls.isEmpty)
    }

    @Test func aCoordinatorThatStoodStillBlamesNobody() throws {
        var core = SteppedCoordinator()
        let worker = core.id(WorkerID.self)
        let attempt = core.live(of: worker, rerun: .never)
        let session = try core.open(1, worker, holding: [attempt])
        // Suspended for a day, 30 s after the last sign of life; the alarm rings as soon as it goes on.
        core.advance(seconds: 86_400)
        try core.ring(.leases)
        #expect(core.calls[.leases] == .setUnreachable(worker, true), "35 s count")
        try core.answer(.leases, .done)
        #expect(core.calls.isEmpty, "the day does not")
        #expect(core.state.attempt(attempt.lease) != nil)
        #expect(core.state.session(of: worker) != session)
    }

    /// A turn that waits for this conversation's own call, as the driver has it, is no standstill of the process.
    @Test func aSlowStoreExcusesNobodysSilence() throws {
        var core = SteppedCoordinator()
        let (first, second) = (core.id(WorkerID.self), core.id(WorkerID.self))
        let attempt = core.live(of: first)
        _ = try core.open(1, first, holding: [attempt])
        core.advance(seconds: 20)
        _ = try core.open(2, second, holding: [core.live(of: second, rerun: .never)])
        core.advance(seconds: 15)
        try core.ring(.leases)
        #expect(core.calls[.leases] == .setUnreachable(first, true))
        core.advance(seconds: 84)
        try core.answer(.leases, .done)
        try core.ring(.leases)
        #expect(try core.answer(.leases, .done) == .setUnreachable(second, true), "64 s ago it was silent for 35 s")
        core.advance(seconds: 1)
        try core.ring(.leases)
        guard case .recordLosses(let losses) = core.calls[.leases] else { throw TestFailure("not in time") }
        #expect(losses.map(\.lease) == [attempt.lease])
    }

    @Test func aWorkerThatCameBackMeanwhileIsLeftAlone() throws {
        var core = SteppedCoordinator()
        let (silent, back) = (core.id(WorkerID.self), core.id(WorkerID.self))
        let attempts = [core.live(of: silent), core.live(of: back)]
        core.feed(.recovered(workers: [], live: attempts))
        core.advance(seconds: 35)
        try core.ring(.leases)
        #expect(core.calls[.leases] == .setUnreachable(silent, true))
        let hello = core.hello(back, held: [HeldAttempt(attempts[1])])
        core.feed(.opened(SessionID(1), hello, token: nil))
        try core.answer(.session(SessionID(1)), SteppedCoordinator.enrolled(hello))
        try core.answer(.leases, .done)
        #expect(core.calls[.leases] == nil, "the other one is here again")
    }

    @Test func aFlagThatComesTooLateIsTakenAway() throws {
        var core = SteppedCoordinator()
        let worker = core.id(WorkerID.self)
        let attempt = core.live(of: worker)
        core.feed(.recovered(workers: [], live: [attempt]))
        core.advance(seconds: 35)
        try core.ring(.leases)
        let hello = core.hello(worker, held: [HeldAttempt(attempt)])
        core.feed(.opened(SessionID(1), hello, token: nil))
        try core.answer(.session(SessionID(1)), SteppedCoordinator.enrolled(hello))
        #expect(try core.answer(.leases, .done) == .setUnreachable(worker, true))
        #expect(core.calls[.leases] == .setUnreachable(worker, false))
        try core.answer(.leases, .done)
        #expect(core.calls[.leases] == nil)
    }

    @Test func aFlagThatCouldNotBeTakenAwayIsTriedAgain() throws {
        var core = SteppedCoordinator()
        let worker = core.id(WorkerID.self)
        let attempt = core.live(of: worker)
        core.feed(.recovered(workers: [], live: [attempt]))
        core.advance(seconds: 35)
        try core.ring(.leases)
        _ = try core.open(1, worker, holding: [attempt])
        try core.answer(.leases, .done)
        try core.fail(.leases, .overloaded(limit: 1))
        core.advance(seconds: 1)
        try core.ring(.leases)
        #expect(try core.answer(.leases, .done) == .setUnreachable(worker, false))
        #expect(core.calls[.leases] == nil)
    }

    @Test func aLeaseThatIsStoredAfterTheSilenceWasNoticedIsJudgedToo() throws {
        var core = SteppedCoordinator()
        let worker = core.id(WorkerID.self)
        _ = try core.open(1, worker)
        _ = try core.lease(worker)
        core.advance(seconds: 35)
        try core.ring(.leases)
        try core.answer(.leases, .done)
        #expect(core.wakes[.leases] == nil, "nothing else is to be judged")
        let lease = LeaseKey(attempt: core.id(), epoch: 1, worker: worker)
        var spec = JobSpec(command: ["true"])
        spec.rerun = .safe
        try core.answer(.scheduler, .leased([.leased(lease, spec: spec)]))
        core.advance(seconds: 35)
        try core.ring(.leases)
        #expect(try core.answer(.leases, .done) == .setUnreachable(worker, true))
        core.advance(seconds: 50)
        try core.ring(.leases)
        guard case .recordLosses(let losses) = core.calls[.leases] else { throw TestFailure("it waits for ever") }
        #expect(losses.map(\.lease) == [lease])
        #expect(losses.map(\.kind) == [.superseded])
    }

    /// Another worker's attempts, which are due much later, hold no judgement up.
    @Test func aWorkerThatIsSilentAgainIsJudgedInTime() throws {
        var core = SteppedCoordinator()
        let (gone, back) = (core.id(WorkerID.self), core.id(WorkerID.self))
        _ = try core.open(1, gone, holding: [core.live(of: gone, rerun: .never)])
        core.advance(seconds: 35)
        try core.ring(.leases)
        try core.answer(.leases, .done)
        let session = try core.open(2, back)
        core.advance(seconds: 35)
        try core.ring(.leases)
        guard case .end(session, .abort) = core.take().first else { throw TestFailure("the session goes on") }
    }

    @Test func whatTheStoreRefusedIsJudgedAgain() throws {
        var core = SteppedCoordinator()
        let worker = core.id(WorkerID.self)
        core.feed(.recovered(workers: [], live: [core.live(of: worker)]))
        core.advance(seconds: 35)
        try core.ring(.leases)
        try core.fail(.leases, .overloaded(limit: 1))
        #expect(core.wakes[.leases] == core.moment.uptime + .seconds(1))
        core.advance(seconds: 1)
        try core.ring(.leases)
        #expect(core.calls[.leases] == .setUnreachable(worker, true))
    }

    @Test func anEndThatRacesWithAReturnIsToldToTheWorker() throws {
        var core = SteppedCoordinator()
        let worker = core.id(WorkerID.self)
        let attempt = core.live(of: worker)
        core.feed(.recovered(workers: [], live: [attempt]))
        core.advance(seconds: 35)
        try core.ring(.leases)
        try core.answer(.leases, .done)
        core.advance(seconds: 85)
        try core.ring(.leases)
        let session = try core.open(1, worker, holding: [attempt])
        try core.answer(.leases, .ends([SteppedCoordinator.recorded(attempt.job, .queued)]))
        #expect(core.sent(to: session) == [.kill(AttemptLease(attempt.lease))])
        #expect(core.state.attempt(attempt.lease) == nil)
    }
}
