import SandpoolAPI
import SandpoolModel
import SandpoolStore
import Testing

@testable import SandpoolCoordinator

/// Workers that cannot set sandboxes up, step by step.
@Suite struct QuarantineStepTests {
    private static let failure = Outcome(cause: .setupFailed, message: "cgroup: refused", commandStarted: false)

    /// A pool of workers that hold attempts, with a store that records what it is asked to.
    private struct Pool {
        var core: SteppedCoordinator
        var workers: [WorkerID] = []
        var sessions: [SessionID] = []
        var attempts: [[LiveAttempt]] = []

        init(workers count: Int = 1, attempts: Int = 8, after limit: Int = 3) throws {
            var timings = CoordinatorTimings()
            timings.quarantineAfter = limit
            core = SteppedCoordinator(timings: timings)
            for index in 0..<count {
                let worker = core.id(WorkerID.self)
                let live = (0..<attempts).map { _ in core.live(of: worker, .preparing) }
                workers.append(worker)
                self.attempts.append(live)
                sessions.append(try core.open(UInt64(index + 1), worker, holding: live, process: "p"))
            }
        }

        /// An attempt ends, and its job is what the store makes of that.
        mutating func end(
            _ attempt: LiveAttempt, _ outcome: Outcome = failure, on index: Int = 0, job: JobID? = nil,
            _ state: JobState = .queued
        ) throws {
            var result = core.result(attempt.lease)
            result.report.outcome = outcome
            let session = sessions[index]
            core.feed(.reported(session, .results([result]), bytes: 1))
            core.turn(.session(session))
            if case .flush(let streams) = core.calls[.session(session)] {
                try core.answer(.session(session), .flushed(streams.map { _ in 0 }))
            }
            try core.answer(.session(session), .ends([SteppedCoordinator.recorded(job ?? attempt.job, state)]))
        }

        mutating func fail(_ range: Range<Int>, on index: Int = 0) throws {
            for attempt in attempts[index][range] { try end(attempt, on: index) }
        }

        func quarantine(_ index: Int = 0) -> Quarantine? { core.state.quarantine(of: workers[index])?.quarantine }
        func isOnTrial(_ index: Int = 0) -> Bool? { core.state.quarantine(of: workers[index])?.isOnTrial }

        /// The store takes what is to be kept.
        mutating func save() throws -> [Quarantine?] {
            if core.turns.contains(.quarantines) { core.turn(.quarantines) }
            var saved: [Quarantine?] = []
            while case .setQuarantine(let quarantine, _) = core.calls[.quarantines] {
                saved.append(quarantine)
                try core.answer(.quarantines, .known(true))
            }
            return saved
        }

        /// A job is leased to the only worker; what it holds then.
        mutating func lease() throws -> LiveAttempt {
            let job = try core.lease(workers[0])
            let lease = LeaseKey(attempt: core.id(), epoch: 1, worker: workers[0])
            let spec = JobSpec(command: ["true"])
            try core.answer(.scheduler, .leased([.leased(lease, spec: spec)]))
            if core.calls[.scheduler] != nil { try core.answer(.scheduler, .jobs([])) }
            var live = core.live(of: workers[0], .leased)
            (live.lease, live.job) = (lease, job)
            return live
        }
    }

    @Test func differentJobsInARowQuarantine() throws {
        var pool = try Pool()
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
        var pool = try Pool()
        let job = pool.attempts[0][0].job
        for attempt in pool.attempts[0] { try pool.end(attempt, job: job) }
        #expect(pool.quarantine() == nil)
    }

    @Test(arguments: [
        Outcome(cause: .exited, exitCode: 1), Outcome(cause: .oom),
        Outcome(cause: .exited, exitCode: 127, commandStarted: false, isRetryable: false),
    ])
    func aCommandThatWasReachedClearsTheCount(outcome: Outcome) throws {
        var pool = try Pool()
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
        var pool = try Pool()
        try pool.fail(0..<2)
        for attempt in pool.attempts[0][2..<6] { try pool.end(attempt, outcome, .errored) }
        #expect(pool.quarantine() == nil)
        try pool.fail(6..<7)
        #expect(pool.quarantine() != nil)
    }

    @Test func aJobGivenUpAfterSeveralWorkersFailedItExcusesThem() throws {
        var pool = try Pool(workers: 3)
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
        var pool = try Pool()
        for attempt in pool.attempts[0][0..<3] { try pool.end(attempt, Self.failure, .errored) }
        #expect(pool.quarantine() != nil)
    }

    @Test func aTrialThatWorksEndsIt() throws {
        var pool = try Pool()
        try pool.fail(0..<3)
        _ = try pool.save()
        pool.core.advance(seconds: 30)
        try pool.core.ring(.quarantines)
        #expect(pool.isOnTrial() == true)
        let trial = try pool.lease()
        let step = ProgressReport(lease: trial.lease, step: .started, at: pool.core.moment.wall)
        let session = pool.sessions[0]
        pool.core.feed(.reported(session, .progress([step]), bytes: 1))
        pool.core.turn(.session(session))
        try pool.core.answer(.session(session), .verdicts([.recorded]))
        #expect(pool.quarantine() == nil, "its end is not waited for")
        #expect(try pool.save() == [nil])
        try pool.fail(3..<5)
        #expect(pool.quarantine() == nil, "the count begins anew")
    }

    @Test func trialsThatFailLastLongerEachTimeUpToTheLongest() throws {
        var pool = try Pool()
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
        var pool = try Pool()
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
        var pool = try Pool()
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
        var pool = try Pool()
        try pool.fail(0..<3)
        pool.core.feed(.closed(pool.sessions[0]))
        _ = try pool.core.open(9, pool.workers[0], holding: Array(pool.attempts[0][3...]), process: process)
        #expect((pool.quarantine() != nil) == isHeld)
    }

    /// It goes on where it was, and no longer than it was to last although the wall clock was set back.
    @Test(arguments: [10.0, 100.0, -7_200.0])
    func aCoordinatorThatRestartsGoesOnWithIt(passed: Double) throws {
        var pool = try Pool()
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
        var pool = try Pool()
        try pool.fail(0..<3)
        pool.core.turn(.quarantines)
        try pool.core.fail(.quarantines, .io("disk I/O error"))
        pool.core.advance(seconds: 1)
        try pool.core.ring(.quarantines)
        #expect(try pool.save() == [pool.quarantine()])
    }

    @Test func aForgottenWorkerIsForgotten() throws {
        var pool = try Pool(attempts: 3)
        try pool.fail(0..<3)
        _ = try pool.save()
        let command = CommandID(1)
        pool.core.feed(.command(command, .forget(pool.workers[0])))
        try pool.core.answer(.command(command), .live([]))
        try pool.core.answer(.command(command), .known(true))
        #expect(pool.quarantine() == nil)
    }
}
