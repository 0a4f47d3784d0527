import SandpoolAPI
import SandpoolModel
import SandpoolSandbox

/// The worker's heart: the table of attempts, and everything that happens to them in one order.
///
/// A value that decides and does nothing else: it takes an event and the time, and returns what has to be done. It
/// waits for nothing and reads no clock, file or socket, so a simulator can drive it as `WorkerCore` does. Its parts
/// are in `WorkerState+….swift`.
package struct WorkerState: Sendable {
    /// What it needs to know of the world.
    package struct Settings: Sendable {
        var worker: WorkerID
        var name: String
        var capacity: Resources
        var labels: [String: String]
        var offersHostImage: Bool
        var bootID: String
        /// Names this process among all that ever were this worker.
        var process: String?

        package init(
            worker: WorkerID, name: String, capacity: Resources, labels: [String: String] = [:],
            offersHostImage: Bool = true, bootID: String, process: String? = nil
        ) {
            self.worker = worker
            self.name = name
            self.capacity = capacity
            self.labels = labels
            self.offersHostImage = offersHostImage
            self.bootID = bootID
            self.process = process
        }
    }

    /// Bounds, with what they protect.
    package enum Limits {
        /// Attempts in any state: far above any host's capacity.
        package static let attempts = SessionLimits.attempts
        /// Unicode scalars of an outcome's message, each at most 11 bytes once it is written out.
        static let messageScalars = SessionLimits.messageBytes / 16
        /// Output sent and not yet durable at the coordinator, per session.
        static let unacknowledgedBytes: Int64 = 4 << 20
        /// Output read for one write to the session.
        static let bytesPerWrite = 512 << 10
        /// Results in one message: their inline tails stay far under the frame limit.
        static let resultBytesPerMessage = 1 << 20
        /// How long a command's first output waits for its end before it goes out in frames.
        static let inlineHoldMs: Int64 = 3
        /// How long word of a command's start waits for its end.
        static let startHoldMs: Int64 = 30
        /// With more attempts than this alive, ends wait for company: nobody's slot stands idle for it.
        static let busyAttempts = 8
        /// How long they wait, and how many go at once.
        static let gatherMs: Int64 = 20
        static let gatheredEnds = 16
        /// How long until a refused journal write is tried again.
        static let journalRetryMs: Int64 = 1_000
        /// Leases given back that the next hello repeats, the newest: more than a host has under way at once.
        static let returns = 1_024
    }

    let settings: Settings
    /// When the step under way is taken.
    private(set) var now: Moment

    var attempts: [AttemptID: LiveAttempt] = [:]
    var outbox = Outbox()
    /// Attempts with output that may be sent, in the order of their turns.
    var outputTurns = TurnQueue<AttemptID>()
    /// Attempts whose result may be sent, oldest first.
    var resultTurns = TurnQueue<AttemptID>()
    var unacknowledgedBytes: Int64 = 0
    /// Attempts whose end waits for company before it goes to the journal.
    var gathered: [AttemptID] = []
    /// Counts the groups that went, so that a timer of one that is gone already does not send the next.
    var gatheredGroups: UInt64 = 0
    /// Attempts that wait for a launcher, or for a lease, to be started.
    var waitingStarts: Set<AttemptID> = []
    var isDraining = false
    /// Leases that were given back since the coordinator last took a hello.
    var givenBack: [AttemptLease] = []

    var hasLauncher = false
    /// Whether it has said everything that it has. What is asked for before is not in its list, and would be taken for
    /// lost.
    var hasListed = false
    /// The launcher that is connected, as it names itself.
    var launcherInstance: String?
    var hostFingerprint: String?
    /// Whether the launcher can make a writable layer that is not in memory; nil until it has said so.
    var makesDisks: Bool?
    /// What came out when this worker last attacked its own sandboxes. Without one, as in tests, there is no doubt.
    var verification: VerificationSummary?
    /// Records and results of earlier runs, until the launcher has listed what it still has.
    var inherited: Inherited

    var session = SessionState()
    var silence: SilenceState

    /// What the step under way asks for.
    var effects: [Effect] = []
    var mustWakeWriter = false

    /// - Parameters:
    ///   - records: of attempts that an earlier process started.
    ///   - results: of its journal that are not settled.
    ///   - renewal: the newest `Effect.saveRenewal` of this boot.
    package init(
        _ settings: Settings, records: [AttemptRecord] = [], results: [AttemptResult] = [], renewal: Renewal? = nil,
        at moment: Moment
    ) {
        self.settings = settings
        now = moment
        inherited = Inherited(records: records, results: results)
        silence = SilenceState(renewal, nowMs: moment.uptimeMs)
    }

    /// Applies an event. One that comes too late or twice changes nothing and asks for nothing.
    ///
    /// - Returns: what has to be done, in this order.
    package mutating func step(_ event: Event, at moment: Moment) -> [Effect] {
        now = moment
        handle(event)
        if mustWakeWriter {
            mustWakeWriter = false
            if session.isWelcome { effects.append(.wakeWriter) }
        }
        defer { effects = [] }
        return effects
    }

    private mutating func handle(_ event: Event) {
        switch event {
        case .launcherConnected: launcherConnected()
        case .launcher(let event, let spools): handle(event, spools)
        case .spoolsGrew(let id, let stdout, let stderr): noteOutput(of: id, stdout: stdout, stderr: stderr)
        case .launcherGone: launcherGone()
        case .launcherLost: loseSandboxes()
        case .sessionOpens: openSession()
        case .welcome(let welcome, let number): self.welcome(welcome, session: number)
        case .message(let message, let number): handle(message, session: number)
        case .heard(let number): noteHeard(session: number)
        case .sessionEnded(let number): endSession(number)
        case .coordinatorIsDown(let number): noteDown(session: number)
        case .preparing(let lease): notePreparing(lease)
        case .building(let lease): apply(.building, to: lease)
        case .prepared(let lease, let root): prepared(lease, root)
        case .preparationFailed(let lease, let outcome): apply(.preparationFailed(end(outcome)), to: lease)
        case .startFailed(let lease, let message): startFailed(lease, message)
        case .unreadable(let lease, let stream, let offset, let reason):
            loseOutput(of: lease, stream, at: offset, reason)
        case .uploaded(let lease, let digest, let message): uploaded(lease, digest: digest, message: message)
        case .journaled(let result): journaled(result)
        case .journalFailed(let lease, let message): journalFailed(lease, message)
        case .fired(let timer): fired(timer)
        case .inputConsumed(let lease, let offset): noteConsumed(lease, offset: offset)
        case .verified(let summary): verification = summary
        }
    }

    private mutating func fired(_ timer: Timer) {
        switch timer {
        case .heartbeat(let number): heartbeat(session: number)
        case .tellStart(let lease): tellStart(lease)
        case .openOutput(let lease): if held(lease)?.machine.isActive == true { openOutput(lease.attempt) }
        case .journal(let group): if group == gatheredGroups { journalGathered() }
        case .retryJournal(let lease): if held(lease) != nil { journal(lease.attempt) }
        case .silence: silenceFired()
        }
    }

    // MARK: What drivers and checks read

    /// Names the current session.
    package var sessionNumber: Int { session.number }

    /// Whether the launcher keeps something for this worker.
    package var hasSandboxes: Bool { attempts.values.contains(where: \.machine.hasSandbox) }

    /// Whether nothing is left of any attempt.
    package var isAtRest: Bool { attempts.isEmpty && inherited.isEmpty }

    func held(_ lease: AttemptLease) -> LiveAttempt? {
        attempts[lease.attempt].flatMap { $0.lease == lease ? $0 : nil }
    }
}
