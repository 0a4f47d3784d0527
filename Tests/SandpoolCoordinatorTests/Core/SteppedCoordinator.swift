import SandpoolAPI
import SandpoolModel
import SandpoolStore
import Testing

@testable import SandpoolCoordinator

/// A `CoordinatorState` with a clock of its own, and what it asked for. No I/O: a test is its store and its workers.
struct SteppedCoordinator {
    static let start = Timestamp(milliseconds: 1_700_000_000_000)

    private(set) var state: CoordinatorState
    private(set) var moment = Moment(wall: start, uptimeMs: 1_000_000)
    /// What the conversations wait for.
    private(set) var calls: [Conversation: StoreCall] = [:]
    /// Everything that was asked for since the last `take`, calls left out.
    private var effects: [CoordinatorState.Effect] = []
    /// Turns that were promised and not given.
    private(set) var turns: Set<Conversation> = []
    private(set) var wakes: [Conversation: Duration] = [:]
    /// Counts the ids that were made, so that they sort by age.
    private var ids: Int64 = 0

    init(timings: CoordinatorTimings = CoordinatorTimings()) {
        state = CoordinatorState(timings: timings, generation: 3)
    }

    // MARK: Time and events

    mutating func advance(seconds: Double) {
        moment.uptimeMs += Int64(seconds * 1_000)
        moment.wall = moment.wall.advanced(by: .bounded(seconds: seconds))
    }

    /// The wall clock is set, and no time passes.
    mutating func setClock(forward seconds: Double) {
        moment.wall = moment.wall.advanced(by: .bounded(seconds: seconds))
    }

    mutating func feed(_ event: CoordinatorState.Event) {
        for effect in state.step(event, at: moment) {
            switch effect {
            case .call(let conversation, let call):
                #expect(calls[conversation] == nil, "two calls of \(conversation) at once")
                calls[conversation] = call
            case .turn(let conversation): turns.insert(conversation)
            case .wake(let conversation, let at): wakes[conversation] = min(wakes[conversation] ?? at, at)
            default: effects.append(effect)
            }
        }
    }

    /// Gives a turn that was promised.
    mutating func turn(_ conversation: Conversation, _ location: SourceLocation = #_sourceLocation) {
        let promised = turns.remove(conversation)
        #expect(promised != nil, "no turn for \(conversation)", sourceLocation: location)
        feed(.turn(conversation))
    }

    /// Rings an alarm whose time has come.
    mutating func ring(_ conversation: Conversation, _ location: SourceLocation = #_sourceLocation) throws {
        let alarm = wakes.removeValue(forKey: conversation)
        let at = try #require(alarm, sourceLocation: location)
        #expect(at <= moment.uptime, "the alarm of \(conversation) rings later", sourceLocation: location)
        feed(.turn(conversation))
    }

    /// Ends the outstanding call of a conversation, which is returned.
    @discardableResult
    mutating func answer(
        _ conversation: Conversation, _ answer: StoreAnswer, _ location: SourceLocation = #_sourceLocation
    ) throws -> StoreCall {
        let outstanding = calls.removeValue(forKey: conversation)
        let call = try #require(outstanding, sourceLocation: location)
        feed(.answered(conversation, answer))
        return call
    }

    mutating func fail(
        _ conversation: Conversation, _ error: StoreError, _ location: SourceLocation = #_sourceLocation
    ) throws {
        let outstanding = calls.removeValue(forKey: conversation)
        _ = try #require(outstanding, sourceLocation: location)
        feed(.failed(conversation, .store(error)))
    }

    /// What was asked for since the last time.
    mutating func take() -> [CoordinatorState.Effect] {
        defer { effects = [] }
        return effects
    }

    /// What a session was sent since the last `take`, which this is.
    mutating func sent(to session: SessionID) -> [CoordinatorMessage] {
        take().compactMap { if case .send(session, let message) = $0 { message } else { nil } }
    }

    // MARK: What tests are made of

    mutating func id<Kind: IdentifierKind>(_ type: Identifier<Kind>.Type = Identifier<Kind>.self) -> Identifier<Kind> {
        ids += 1
        return .make(at: Timestamp(milliseconds: ids))
    }

    func hello(
        _ worker: WorkerID, held: [HeldAttempt] = [], boot: String = "boot-1", process: String? = nil
    ) -> WorkerHello {
        WorkerHello(
            id: worker, name: "w", bootID: boot,
            capacity: Resources(cpuMillis: 8_000, memoryBytes: 8 << 30, diskBytes: 0),
            labels: [:], images: [], offersHostImage: true, held: held, softwareVersion: "1", process: process)
    }

    static func enrolled(_ hello: WorkerHello, drain: Drain? = nil) -> StoreAnswer {
        let record = WorkerRecord(
            registration: WorkerRegistration(hello), drain: drain, enrolledAt: start, lastSeenAt: start)
        return .enrolled(record)
    }

    /// An attempt as the store has it.
    mutating func live(
        of worker: WorkerID, _ state: AttemptState = .running, rerun: RerunPolicy = .safe,
        cancelRequested: Bool = false
    ) -> LiveAttempt {
        var spec = JobSpec(command: ["true"])
        spec.rerun = rerun
        spec.timeoutSeconds = 100
        return LiveAttempt(
            lease: LeaseKey(attempt: id(), epoch: 1, worker: worker), job: id(), state: state, resources: .zero,
            spec: spec, createdAt: Self.start, startedAt: nil, unreachableSince: nil, cancelRequested: cancelRequested,
            bootID: "boot-1")
    }

    /// Opens a session of a worker that holds just what the store gave it.
    mutating func open(
        _ number: UInt64, _ worker: WorkerID, holding live: [LiveAttempt] = [], process: String? = nil
    ) throws -> SessionID {
        let session = SessionID(number)
        let hello = hello(worker, held: live.map { .init($0) }, process: process)
        feed(.opened(session, hello, token: nil))
        try answer(.session(session), Self.enrolled(hello))
        try answer(.session(session), .live(live))
        if !live.isEmpty { try answer(.session(session), .flushed(live.flatMap { _ in [0, 0] as [Int64] })) }
        #expect(state.session(of: worker) == session)
        _ = take()
        return session
    }

    /// A result as a worker reports it.
    func result(_ lease: LeaseKey, exitCode: Int = 0) -> ReportedResult {
        ReportedResult(
            report: ResultReport(
                lease: lease, outcome: Outcome(cause: .exited, exitCode: exitCode), evidence: Evidence(),
                startedAt: Self.start, finishedAt: Self.start))
    }

    /// What the store answers to an end that it records.
    static func recorded(_ job: JobID, _ state: JobState = .succeeded, notBefore: Timestamp? = nil) -> EndAnswer {
        EndAnswer(verdict: .recorded, change: JobChange(job: job, state: state, notBefore: notBefore))
    }
}

extension HeldAttempt {
    init(_ live: LiveAttempt) {
        self.init(lease: AttemptLease(live.lease), state: live.state, stdoutBytes: 0, stderrBytes: 0)
    }
}
