import SandpoolAPI
import SandpoolModel
import SandpoolSandbox

@testable import SandpoolWorker

/// The worker's state without anything around it: a test plays the coordinator, the launcher, the disk and the clock.
struct SteppedWorker {
    typealias Effect = WorkerState.Effect

    var state: WorkerState
    /// Milliseconds since boot. The wall clock is as far behind a fixed moment.
    var uptimeMs: Int64

    static let bootID = "this-boot"

    init(
        records: [AttemptRecord] = [], results: [AttemptResult] = [], renewal: Renewal? = nil,
        uptimeMs: Int64 = 1_000_000
    ) {
        self.uptimeMs = uptimeMs
        var generator = Samples.Counter(value: 7)
        let settings = WorkerState.Settings(
            worker: WorkerID(milliseconds: 1_700_000_000_000, using: &generator), name: "w",
            capacity: Resources(cpuMillis: 8_000, memoryBytes: 1 << 34, diskBytes: 1 << 34), bootID: Self.bootID)
        state = WorkerState(
            settings, records: records, results: results, renewal: renewal, at: Self.moment(uptimeMs))
    }

    private static func moment(_ uptimeMs: Int64) -> Moment {
        Moment(wall: Timestamp(milliseconds: 1_700_000_000_000 + uptimeMs), uptimeMs: uptimeMs)
    }

    /// Has time pass, then something happen.
    @discardableResult
    mutating func step(_ event: WorkerState.Event, afterMs delay: Int64 = 0) -> [Effect] {
        uptimeMs += delay
        return state.step(event, at: Self.moment(uptimeMs))
    }

    // MARK: The launcher

    /// A launcher connects that has these sandboxes, and says so.
    @discardableResult
    mutating func connectLauncher(
        _ sandboxes: [(LauncherEvent, SpoolSizes?)] = [], instance: String = "i"
    ) -> [Effect] {
        var effects = step(.launcherConnected)
        effects += step(
            .launcher(
                .welcome(
                    version: 1, bootID: Self.bootID, hostFingerprint: "f", makesDisks: true, instance: instance),
                spools: nil))
        for (event, spools) in sandboxes { effects += step(.launcher(event, spools: spools)) }
        return effects + step(.launcher(.layers([]), spools: nil))
    }

    @discardableResult
    mutating func tell(_ event: LauncherEvent, spools: SpoolSizes? = nil) -> [Effect] {
        step(.launcher(event, spools: spools))
    }

    @discardableResult
    mutating func start(_ number: Int) -> [Effect] {
        tell(
            .started(id: Samples.attempt(number).text, startedBoottimeMs: UInt64(uptimeMs)), spools: SpoolSizes())
    }

    @discardableResult
    mutating func exit(
        _ number: Int, _ end: ExitReport.End = .exited(code: 0), reason: ExitReport.Reason = .none,
        stdout bytes: Int64 = 0
    ) -> [Effect] {
        let report = ExitReport(end: end, reason: reason, stdoutBytes: UInt64(bytes))
        return tell(.exited(id: Samples.attempt(number).text, report: report))
    }

    // MARK: The coordinator

    /// A session opens and is welcomed.
    @discardableResult
    mutating func join(
        leaseSeconds: Double = 30, replaceSeconds: Double? = 120, keep: [HeldAttempt] = [],
        kill: [AttemptLease] = [], afterMs delay: Int64 = 0
    ) -> [Effect] {
        step(.sessionOpens) + welcome(
            leaseSeconds: leaseSeconds, replaceSeconds: replaceSeconds, keep: keep, kill: kill, afterMs: delay)
    }

    @discardableResult
    mutating func welcome(
        leaseSeconds: Double = 30, replaceSeconds: Double? = 120, keep: [HeldAttempt] = [],
        kill: [AttemptLease] = [], afterMs delay: Int64 = 0
    ) -> [Effect] {
        let welcome = WorkerWelcome(
            generation: 1, leaseSeconds: leaseSeconds, heartbeatSeconds: 10, replaceSeconds: replaceSeconds,
            keep: keep, kill: kill)
        return step(.welcome(welcome, session: state.sessionNumber), afterMs: delay)
    }

    @discardableResult
    mutating func hear(_ message: CoordinatorMessage, afterMs delay: Int64 = 0) -> [Effect] {
        step(.message(message, session: state.sessionNumber), afterMs: delay)
    }

    mutating func loseSession() { step(.sessionEnded(state.sessionNumber)) }

    /// An attempt as far as being prepared.
    @discardableResult
    mutating func assign(_ number: Int, _ edit: (inout JobSpec) -> Void = { _ in }) -> [Effect] {
        hear(.assign([Samples.assignment(number, ["true"], edit)]))
            + step(.prepared(Samples.lease(number), PreparedRoot(root: .scratch, layers: ["l\(number)"])))
    }

    /// An attempt whose command runs.
    mutating func run(_ number: Int, _ edit: (inout JobSpec) -> Void = { _ in }) {
        assign(number, edit)
        start(number)
    }

    /// An attempt whose result is in the journal and was sent.
    mutating func report(_ number: Int) {
        run(number)
        if let result = exit(number).journaled.first?.result { step(.journaled(result)) }
        _ = state.takeOutbound()
    }

    /// With a launcher and a session.
    static func ready() -> SteppedWorker {
        var worker = SteppedWorker()
        worker.connectLauncher()
        worker.join()
        return worker
    }

    /// The messages that the session's writer takes.
    mutating func sent() -> [WorkerMessage] {
        state.takeOutbound().compactMap { if case .message(let message) = $0 { message } else { nil } }
    }

    /// The results among what the session's writer takes.
    mutating func sentResults() -> [AttemptResult] {
        sent().flatMap { if case .results(let results) = $0 { results } else { [AttemptResult]() } }
    }

    mutating func returned() -> [AttemptLease] {
        sent().flatMap { if case .returned(let leases) = $0 { leases } else { [AttemptLease]() } }
    }
}

extension [WorkerState.Effect] {
    struct Journaled: Equatable {
        var result: AttemptResult
        var stdout: Range<Int64>?
        var stderr: Range<Int64>?
    }

    /// What the journal was asked for.
    var journaled: [Journaled] {
        compactMap {
            if case .journal(let result, let stdout, let stderr) = $0 {
                Journaled(result: result, stdout: stdout, stderr: stderr)
            } else {
                nil
            }
        }
    }

    /// What the launcher was asked for.
    var asked: [LauncherRequest] { compactMap { if case .ask(let request) = $0 { request } else { nil } } }

    /// The attempts that the launcher was asked to start.
    var started: [AttemptID] {
        compactMap { if case .start(_, let assignment, _) = $0 { assignment.lease.attempt } else { nil } }
    }

    var timers: [WorkerState.Timer] { compactMap { if case .wake(_, let timer) = $0 { timer } else { nil } } }
}
