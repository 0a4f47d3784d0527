import SandpoolAPI
import SandpoolModel
import SandpoolStore
import Testing

@testable import SandpoolCoordinator

/// Workers that cannot set sandboxes up, step by step.
@Suite struct QuarantineStepTests {
    static let failure = Outcome(cause: .setupFailed, message: "cgroup: refused", commandStarted: false)

    @Test func differentJobsInARowQuarantine() throws {
        var pool = try QuarantinePool()
        try pool.fail(0..<2)
        #expect(pool.quarantine() == nil)
        try pool.fail(2..<3)
        let quarantine = try #require(pool.quarantine())
        #expect(quarantine.reason == "the set-up of 3 jobs failed in a row, the last with: cgroup: refused")
        #expect(quarantine.until == pool.core.moment.wall.advanced(by: .seconds(30)))
        #expect(quarantine.backoffMs == 30_000 && quarantine.process == "p")
        #expect(try pool.save() == [quarantine])
        #expect(try pool.save() == [])
    }

    /// One bad job goes round and must not take workers with it.
    @Test func oneJobCountsOnce() throws {
        var pool = try QuarantinePool()
        let job = pool.attempts[0][0].job
        for attempt in pool.attempts[0] { try pool.end(attempt, job: job) }
        #expect(pool.quarantine() == nil)
    }

    @Test(arguments: [
        Outcome(cause: .exited, exitCode: 1), Outcome(cause: .oom),
        Outcome(cause: .exited, exitCode: 127, commandStarted: false, isRetryable: false),
    ])
    func aCommandThatWasReachedClearsTheCount(outcome: Outcome) throws {
        var pool = try QuarantinePool()
        try pool.fail(0..<2)
        try pool.end(pool.attempts[0][2], outcome, .failed)
        try pool.fail(3..<5)
        #expect(pool.quarantine() == nil)
        try pool.fail(5..<6)
        #expect(pool.quarantine() != nil)
    }

    @Test(arguments: [
        Outcome(cause: .setupFailed, commandStarted: false, isRetryable: false),
        Outcome(cause: .fetchFailed, commandStarted: false, isRetryable: false),
        Outcome(cause: .buildFailed, commandStarted: false), Outcome(cause: .cancelled, commandStarted: false),
        Outcome(cause: .workerLost), Outcome(cause: .workerLost, commandStarted: false),
    ])
    func whatSaysNothingOfTheWorkerNeitherCountsNorClears(outcome: Outcome) throws {
        var pool = try QuarantinePool()
        try pool.fail(0..<2)
        for attempt in pool.attempts[0][2..<6] { try pool.end(attempt, outcome, .errored) }
        #expect(pool.quarantine() == nil)
        try pool.fail(6..<7)
        #expect(pool.quarantine() != nil)
    }

    /// It was set up long before, and this counted when its command started.
    @Test(arguments: [false, true]) func theEndOfAnOldJobSaysNothing(wasRunningBefore: Bool) throws {
        var pool = try QuarantinePool(running: wasRunningBefore ? 2 : 0)
        let old = Array(pool.attempts[0][6...])
        if !wasRunningBefore { for attempt in old { try pool.start(attempt.lease) } }
        try pool.fail(0..<2)
        try pool.end(old[0], Outcome(cause: .exited, exitCode: 0), .succeeded)
        try pool.fail(2..<3)
        let quarantine = try #require(pool.quarantine())
        try pool.end(old[1], Outcome(cause: .exited, exitCode: 0), .succeeded)
        #expect(pool.quarantine() == quarantine)
    }

    @Test func aJobGivenUpAfterSeveralWorkersFailedItExcusesThem() throws {
        var pool = try QuarantinePool(workers: 3)
        let bad = (0..<3).map { pool.attempts[0][$0].job }
        for index in 0..<2 {
            for place in 0..<3 { try pool.end(pool.attempts[index][place], on: index, job: bad[place]) }
        }
        #expect(pool.quarantine(0) != nil && pool.quarantine(1) != nil)
        try pool.end(pool.attempts[2][0], on: 2, job: bad[0], .errored)
        #expect(pool.quarantine(0) == nil && pool.quarantine(1) == nil && pool.quarantine(2) == nil)
        #expect(try pool.save().allSatisfy { $0 == nil })
    }

    /// Nobody else says that it is the jobs.
    @Test func aJobGivenUpOnTheOnlyWorkerExcusesNobody() throws {
        var pool = try QuarantinePool()
        for attempt in pool.attempts[0][0..<3] { try pool.end(attempt, Self.failure, .errored) }
        #expect(pool.quarantine() != nil)
    }

    /// A quarantine rests on the jobs that it began with.
    @Test func aJobThatIsGivenUpLaterEndsNone() throws {
        var pool = try QuarantinePool(workers: 2)
        try pool.fail(0..<3)
        let quarantine = try #require(pool.quarantine())
        let bad = pool.attempts[0][3]
        try pool.end(bad)
        try pool.end(pool.attempts[1][0], on: 1, job: bad.job, .errored)
        #expect(pool.quarantine() == quarantine)
    }

    @Test func aJobThatIsGivenUpEndsNoneOfAnEarlierProcess() throws {
        let left = Quarantine(
            reason: "r", until: SteppedCoordinator.start.advanced(by: .seconds(30)), backoffMs: 30_000, process: "p")
        var pool = try QuarantinePool(workers: 2, left: left)
        let bad = pool.attempts[0][0]
        try pool.end(bad)
        try pool.end(pool.attempts[1][0], on: 1, job: bad.job, .errored)
        #expect(pool.quarantine() == left)
    }

    // MARK: The last worker

    @Test func theOnlyWorkerGetsJobsOn() throws {
        var pool = try QuarantinePool(isAlone: true)
        try pool.fail(0..<5)
        #expect(pool.quarantine() == nil)
        let errors = pool.core.take().filter { if case .log(.error, _, _) = $0 { true } else { false } }
        #expect(errors.count == 1, "it is told once")
        try pool.joinOther()
        try pool.fail(5..<6)
        #expect(pool.quarantine() != nil)
    }

    @Test func othersThatGetNoJobsAreNone() throws {
        var pool = try QuarantinePool(workers: 2)
        let other = try #require(pool.other)
        pool.core.feed(.command(CommandID(1), .drain(other.worker, Drain(reason: "r", deadline: nil))))
        try pool.core.answer(.command(CommandID(1)), .known(true))
        try pool.fail(0..<3)
        #expect(pool.quarantine(0) != nil)
        try pool.fail(0..<3, on: 1)
        #expect(pool.quarantine(1) == nil, "one is drained, one quarantined")
    }

    @Test func aTrialThatFailsProlongsNoneWhereTheOthersHaveGone() throws {
        var pool = try QuarantinePool()
        try pool.fail(0..<3)
        let first = try #require(pool.quarantine())
        _ = try pool.save()
        pool.core.advance(seconds: 30)
        try pool.core.ring(.quarantines)
        pool.core.feed(.closed(try #require(pool.other).session))
        try pool.end(pool.lease())
        #expect(pool.quarantine() == first && pool.isOnTrial() == true, "the next job tries it at once")
    }

    @Test func aTrialThatWorksEndsIt() throws {
        var pool = try QuarantinePool()
        try pool.fail(0..<3)
        _ = try pool.save()
        pool.core.advance(seconds: 30)
        try pool.core.ring(.quarantines)
        #expect(pool.isOnTrial() == true)
        let trial = try pool.lease()
        try pool.start(trial.lease)
        #expect(pool.quarantine() == nil, "its end is not waited for")
        #expect(try pool.save() == [nil])
        try pool.fail(3..<5)
        #expect(pool.quarantine() == nil, "the count begins anew")
    }

    @Test func trialsThatFailLastLongerEachTimeUpToTheLongest() throws {
        var pool = try QuarantinePool()
        try pool.fail(0..<3)
        var lasted: [Int64] = []
        for _ in 0..<6 {
            let backoff = try #require(pool.quarantine()).backoffMs
            lasted.append(backoff / 1_000)
            _ = try pool.save()
            pool.core.advance(seconds: Double(backoff) / 1_000)
            pool.core.feed(.heard(pool.sessions[0]))
            try pool.core.ring(.quarantines)
            try pool.end(pool.lease())
        }
        #expect(lasted == [30, 60, 120, 240, 480, 600])
        #expect(pool.quarantine()?.reason == "a job that tried it failed with: cgroup: refused")
    }

    /// Jobs that it had been given before say nothing new when they fail.
    @Test func whatWasLeasedBeforeIsNoTrial() throws {
        var pool = try QuarantinePool()
        try pool.fail(0..<3)
        let first = pool.quarantine()
        try pool.fail(3..<5)
        #expect(pool.quarantine() == first)
        _ = try pool.save()
        pool.core.advance(seconds: 30)
        try pool.core.ring(.quarantines)
        try pool.fail(5..<6)
        #expect(pool.quarantine() == first && pool.isOnTrial() == true)
    }

    @Test func anOperatorEndsItAndTheSessionGoesOn() throws {
        var pool = try QuarantinePool()
        try pool.fail(0..<3)
        _ = pool.core.take()
        let command = CommandID(1)
        pool.core.feed(.command(command, .drain(pool.workers[0], nil)))
        try pool.core.answer(.command(command), .known(true))
        #expect(pool.quarantine() == nil)
        #expect(pool.core.state.session(of: pool.workers[0]) == pool.sessions[0])
        #expect(try pool.save() == [nil], "what was on its way to the store is taken back")
    }

    @Test(arguments: [("p", true), ("q", false), (nil, false)])
    func onlyAnotherProcessOfTheWorkerStartsOver(process: String?, isHeld: Bool) throws {
        var pool = try QuarantinePool()
        try pool.fail(0..<3)
        pool.core.feed(.closed(pool.sessions[0]))
        _ = try pool.core.open(9, pool.workers[0], holding: Array(pool.attempts[0][3...]), process: process)
        #expect((pool.quarantine() != nil) == isHeld)
    }

    @Test func aSessionThatEndsMeanwhileNamesItsProcess() throws {
        var pool = try QuarantinePool()
        try pool.fail(0..<2)
        try pool.end(pool.attempts[0][2], closing: true)
        #expect(pool.quarantine()?.process == "p")
        _ = try pool.core.open(9, pool.workers[0], holding: Array(pool.attempts[0][3...]), process: "p")
        #expect(pool.quarantine() != nil)
    }

    @Test func whereTheProcessIsNotKnownNoneIsAnother() throws {
        var pool = try QuarantinePool(process: nil)
        try pool.fail(0..<3)
        pool.core.feed(.closed(pool.sessions[0]))
        _ = try pool.core.open(9, pool.workers[0], holding: Array(pool.attempts[0][3...]), process: "q")
        #expect(pool.quarantine() != nil)
    }

    /// It goes on where it was, and no longer than it was to last although the wall clock was set back.
    @Test(arguments: [10.0, 100.0, -7_200.0])
    func aCoordinatorThatRestartsGoesOnWithIt(passed: Double) throws {
        var pool = try QuarantinePool()
        try pool.fail(0..<3)
        let quarantine = try #require(pool.quarantine())
        let worker = pool.workers[0]
        var core = SteppedCoordinator()
        core.setClock(forward: passed)
        let record = WorkerRecord(
            registration: WorkerRegistration(core.hello(worker)), drain: nil, quarantine: quarantine,
            enrolledAt: SteppedCoordinator.start, lastSeenAt: SteppedCoordinator.start)
        core.feed(.recovered(workers: [record], live: []))
        #expect(core.state.quarantine(of: worker)?.quarantine == quarantine)
        core.turn(.quarantines)
        let isDue = passed >= 30
        #expect(core.state.quarantine(of: worker)?.isOnTrial == isDue)
        guard !isDue else { return }
        core.advance(seconds: min(30, 30 - passed))
        try core.ring(.quarantines)
        #expect(core.state.quarantine(of: worker)?.isOnTrial == true)
    }

    @Test func whatTheStoreCouldNotTakeIsNotedLater() throws {
        var pool = try QuarantinePool()
        try pool.fail(0..<3)
        pool.core.turn(.quarantines)
        try pool.core.fail(.quarantines, .io("disk I/O error"))
        pool.core.advance(seconds: 1)
        try pool.core.ring(.quarantines)
        #expect(try pool.save() == [pool.quarantine()])
    }

    @Test func aForgottenWorkerIsForgotten() throws {
        var pool = try QuarantinePool(attempts: 3)
        try pool.fail(0..<3)
        _ = try pool.save()
        let command = CommandID(1)
        pool.core.feed(.command(command, .forget(pool.workers[0])))
        try pool.core.answer(.command(command), .live([]))
        try pool.core.answer(.command(command), .known(true))
        #expect(pool.quarantine() == nil)
    }
}
