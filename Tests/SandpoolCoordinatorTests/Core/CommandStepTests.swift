import SandpoolAPI
import SandpoolModel
import SandpoolStore
import Testing

@testable import SandpoolCoordinator

/// The scheduler's and the queue's conversations, and what operators and clients ask for, step by step.
@Suite struct CommandStepTests {
    private let command = CommandID(7)

    // MARK: Leases

    @Test func aLeaseGoesToItsWorkerOnceItIsStored() throws {
        var core = SteppedCoordinator()
        let worker = core.id(WorkerID.self)
        let session = try core.open(1, worker)
        let job = try core.lease(worker)
        #expect(core.sent(to: session).isEmpty)
        let lease = LeaseKey(attempt: core.id(), epoch: 4, worker: worker)
        let spec = JobSpec(command: ["true"])
        try core.answer(.scheduler, .leased([.leased(lease, spec: spec)]))
        #expect(core.sent(to: session) == [.assign([Assignment(lease: AttemptLease(lease), job: job, spec: spec)])])
        #expect(core.state.attempt(of: job)?.lease == lease)
    }

    /// A worker knows no attempt that it was not assigned: a cancel before the assignment would be lost.
    @Test func aCancelNeverOvertakesItsLease() throws {
        var core = SteppedCoordinator()
        let worker = core.id(WorkerID.self)
        let session = try core.open(1, worker)
        let job = try core.lease(worker)
        let lease = LeaseKey(attempt: core.id(), epoch: 1, worker: worker)
        core.feed(.command(command, .cancel(job)))
        try core.answer(.command(command), .cancelled(.requested(lease)))
        #expect(core.sent(to: session).isEmpty)
        try core.answer(.scheduler, .leased([.leased(lease, spec: JobSpec(command: ["true"]))]))
        let messages = core.sent(to: session)
        guard messages.count == 2, case .assign = messages[0] else { throw TestFailure("\(messages)") }
        #expect(messages[1] == .cancel(AttemptLease(lease)))
    }

    @Test func aRefusedLeaseIsTriedAgainInASecond() throws {
        var core = SteppedCoordinator()
        let worker = core.id(WorkerID.self)
        let session = try core.open(1, worker)
        _ = try core.lease(worker)
        try core.fail(.scheduler, .diskFull("lease"))
        #expect(core.state.session(of: worker) == session)
        #expect(core.wakes[.scheduler] == core.moment.uptime + .seconds(1))
        core.advance(seconds: 1)
        try core.ring(.scheduler)
        #expect(core.calls[.scheduler] != nil)
    }

    /// Such a lease would be nobody's until the worker's next inventory.
    @Test func aLeaseThatMayBeStoredAfterAllEndsTheSession() throws {
        var core = SteppedCoordinator()
        let worker = core.id(WorkerID.self)
        _ = try core.open(1, worker)
        _ = try core.lease(worker)
        try core.fail(.scheduler, .io("commit"))
        #expect(core.state.session(of: worker) == nil)
    }

    /// Nobody was told what the commit did, where it was made after all.
    @Test func whatMayBeStoredAfterAllIsLookedForInTheStore() throws {
        var core = SteppedCoordinator()
        core.feed(.command(command, .cancel(core.id())))
        try core.fail(.command(command), .overloaded(limit: 1))
        #expect(!core.take().contains { if case .lookAgain = $0 { true } else { false } })
        #expect(core.wakes[.queue] == nil)
        core.feed(.command(CommandID(8), .cancel(core.id())))
        try core.fail(.command(CommandID(8)), .io("commit"))
        #expect(core.take().contains { if case .lookAgain = $0 { true } else { false } })
        #expect(core.wakes[.queue] == core.moment.uptime + .seconds(1))
        #expect(core.turns.contains(.scheduler))
    }

    @Test func aTurnTooManyAsksForNothing() throws {
        var core = SteppedCoordinator()
        _ = try core.open(1, core.id())
        core.turn(.scheduler)
        try core.answer(.scheduler, .jobs([]))
        core.feed(.turn(.scheduler))
        core.feed(.answered(.scheduler, .jobs([])))
        #expect(core.calls.isEmpty)
    }

    // MARK: The queue

    @Test func queueTimeoutsAreActedOnWhenTheyCome() throws {
        var core = SteppedCoordinator()
        let (job, wall) = (core.id(JobID.self), core.moment.wall)
        core.feed(.submitted(deadlines: [wall.advanced(by: .seconds(60)), wall.advanced(by: .seconds(30))]))
        #expect(core.wakes[.queue] == core.moment.uptime + .seconds(30))
        core.advance(seconds: 30)
        try core.ring(.queue)
        let advance = StoreAnswer.advanced(QueueAdvance(expired: [job], released: 0))
        #expect(try core.answer(.queue, advance) == .advanceQueue)
        #expect(core.take().contains { if case .publish(job, .finished) = $0 { true } else { false } })
        let deadline = StoreAnswer.deadline(wall.advanced(by: .seconds(60)))
        #expect(try core.answer(.queue, deadline) == .nextQueueDeadline)
        #expect(core.wakes[.queue] == core.moment.uptime + .seconds(30))
        core.feed(.turn(.queue))
        core.feed(.turn(.queue))
        try core.fail(.queue, .overloaded(limit: 1))
        #expect(core.turns.contains(.queue), "the turn that came meanwhile is made up for")
    }

    @Test func aRetryWaitsForItsDelay() throws {
        var core = SteppedCoordinator()
        let worker = core.id(WorkerID.self)
        let attempt = core.live(of: worker)
        let session = try core.open(1, worker, holding: [attempt])
        core.feed(.reported(session, .results([core.result(attempt.lease, exitCode: 1)]), bytes: 1))
        core.turn(.session(session))
        try core.answer(.session(session), .flushed([0, 0]))
        let end = SteppedCoordinator.recorded(
            attempt.job, .queued, notBefore: core.moment.wall.advanced(by: .seconds(4)))
        try core.answer(.session(session), .ends([end]))
        #expect(core.wakes[.queue] == core.moment.uptime + .seconds(4))
    }

    // MARK: Workers

    @Test func aForgottenWorkersAttemptsEndOnceNoLeaseToItIsUnderWay() throws {
        var core = SteppedCoordinator()
        let worker = core.id(WorkerID.self)
        let attempt = core.live(of: worker)
        let session = try core.open(1, worker, holding: [attempt])
        _ = try core.lease(worker)
        core.feed(.command(command, .forget(worker)))
        guard case .end(session, .abort) = core.take().first else { throw TestFailure("its session goes on") }
        #expect(core.calls[.command(command)] == nil)
        try core.answer(.scheduler, .leased([.notClaimable]))
        core.turn(.command(command))
        try core.answer(.command(command), .live([attempt]))
        guard case .recordLosses(let losses) = core.calls[.command(command)] else { throw TestFailure("kept") }
        #expect(losses.map(\.lease) == [attempt.lease])
        try core.answer(.command(command), .ends([SteppedCoordinator.recorded(attempt.job, .queued)]))
        #expect(try core.answer(.command(command), .known(true)) == .forgetWorker(worker))
        #expect(core.take().contains { if case .reply(command, .done) = $0 { true } else { false } })
        #expect(core.state.enrolled.isEmpty)
    }

    @Test func aCommandThatNobodyWaitsForIsDropped() throws {
        var core = SteppedCoordinator()
        let worker = core.id(WorkerID.self)
        _ = try core.open(1, worker)
        _ = try core.lease(worker)
        core.feed(.command(command, .forget(worker)))
        core.feed(.abandoned(command))
        try core.answer(.scheduler, .leased([.notClaimable]))
        #expect(!core.turns.contains(.command(command)))
        core.feed(.turn(.command(command)))
        #expect(core.calls[.command(command)] == nil)
    }

    @Test func aDrainEndsWhatStillRunsAtItsDeadline() throws {
        var core = SteppedCoordinator()
        let worker = core.id(WorkerID.self)
        let attempt = core.live(of: worker)
        let session = try core.open(1, worker, holding: [attempt])
        let drain = Drain(reason: "kernel", deadline: core.moment.wall.advanced(by: .seconds(60)))
        core.feed(.command(command, .drain(worker, drain)))
        #expect(try core.answer(.command(command), .known(true)) == .setDrain(drain, worker))
        #expect(core.sent(to: session) == [.drain])
        #expect(core.wakes[.drains] == core.moment.uptime + .seconds(60))
        core.advance(seconds: 30)
        core.feed(.turn(.drains))
        #expect(core.sent(to: session).isEmpty)
        core.advance(seconds: 30)
        core.feed(.turn(.drains))
        #expect(core.sent(to: session) == [.cancel(AttemptLease(attempt.lease))])
        // One that was away is told when it is back.
        core.feed(.closed(session))
        let hello = core.hello(worker, held: [HeldAttempt(attempt)])
        core.feed(.opened(SessionID(2), hello, token: nil))
        try core.answer(.session(SessionID(2)), SteppedCoordinator.enrolled(hello, drain: drain))
        try core.answer(.session(SessionID(2)), .live([attempt]))
        try core.answer(.session(SessionID(2)), .flushed([0, 0]))
        let messages = core.sent(to: SessionID(2))
        #expect(Array(messages.dropFirst()) == [.drain, .cancel(AttemptLease(attempt.lease))])
    }

    @Test func aFailedCommandSaysSo() throws {
        var core = SteppedCoordinator()
        core.feed(.command(command, .cancel(core.id())))
        try core.fail(.command(command), .overloaded(limit: 1))
        guard case .reply(command, .failed(.store(.overloaded))) = core.take().first else { throw TestFailure("none") }
        core.feed(.command(CommandID(8), .cancel(core.id())))
        try core.answer(.command(CommandID(8)), .cancelled(.notFound))
        guard case .reply(CommandID(8), .notFound) = core.take().first else { throw TestFailure("none") }
        core.feed(.command(CommandID(9), .cancel(core.id())))
        try core.answer(.command(CommandID(9)), .done)
        guard case .reply(CommandID(9), .failed(.mismatch)) = core.take().first else { throw TestFailure("none") }
    }
}
