import SandpoolAPI
import SandpoolModel
import SandpoolStore
import Testing

@testable import SandpoolCoordinator

/// A pool of workers that hold attempts, with a store that records what it is asked to.
struct QuarantinePool {
    var core: SteppedCoordinator
    var workers: [WorkerID] = []
    var sessions: [SessionID] = []
    var attempts: [[LiveAttempt]] = []
    /// Another worker, which holds nothing and works; its session.
    var other: (worker: WorkerID, session: SessionID)?

    /// - Parameters:
    ///   - running: how many of each worker's attempts, the last ones, run when it connects.
    ///   - left: the first worker's quarantine as an earlier process left it.
    init(
        workers count: Int = 1, attempts: Int = 8, running: Int = 0, isAlone: Bool = false,
        process: String? = "p", left: Quarantine? = nil
    ) throws {
        var timings = CoordinatorTimings()
        timings.quarantineAfter = 3
        core = SteppedCoordinator(timings: timings)
        for index in 0..<count {
            let worker = core.id(WorkerID.self)
            let live = (0..<attempts).map { core.live(of: worker, $0 < attempts - running ? .preparing : .running) }
            workers.append(worker)
            self.attempts.append(live)
            if index == 0, let left {
                let record = WorkerRecord(
                    registration: WorkerRegistration(core.hello(worker)), drain: nil, quarantine: left,
                    enrolledAt: SteppedCoordinator.start, lastSeenAt: SteppedCoordinator.start)
                core.feed(.recovered(workers: [record], live: []))
            }
            sessions.append(try core.open(UInt64(index + 1), worker, holding: live, process: process))
        }
        if !isAlone { try joinOther() }
    }

    /// Another worker connects.
    mutating func joinOther() throws {
        let worker = core.id(WorkerID.self)
        other = (worker, try core.open(100, worker, process: "p"))
    }

    /// The command of an attempt is executed.
    mutating func start(_ lease: LeaseKey) throws {
        let step = ProgressReport(lease: lease, step: .started, at: core.moment.wall)
        core.feed(.reported(sessions[0], .progress([step]), bytes: 1))
        core.turn(.session(sessions[0]))
        try core.answer(.session(sessions[0]), .verdicts([.recorded]))
    }

    /// An attempt ends, and its job is what the store makes of that. The session may end while the store is at it.
    mutating func end(
        _ attempt: LiveAttempt, _ outcome: Outcome = QuarantineStepTests.failure, on index: Int = 0, job: JobID? = nil,
        _ state: JobState = .queued, closing: Bool = false
    ) throws {
        var result = core.result(attempt.lease)
        result.report.outcome = outcome
        let session = sessions[index]
        core.feed(.reported(session, .results([result]), bytes: 1))
        core.turn(.session(session))
        if case .flush(let streams) = core.calls[.session(session)] {
            try core.answer(.session(session), .flushed(streams.map { _ in 0 }))
        }
        if closing { core.feed(.closed(session)) }
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

    /// A job is leased to the first worker; what it holds then.
    mutating func lease() throws -> LiveAttempt {
        let job = try core.lease(workers[0])
        let lease = LeaseKey(attempt: core.id(), epoch: 1, worker: workers[0])
        let spec = JobSpec(command: ["true"])
        try core.answer(.scheduler, .leased([.leased(lease, spec: spec)]))
        while core.calls[.scheduler] != nil { try core.answer(.scheduler, .jobs([])) }
        var live = core.live(of: workers[0], .leased)
        (live.lease, live.job) = (lease, job)
        return live
    }
}
