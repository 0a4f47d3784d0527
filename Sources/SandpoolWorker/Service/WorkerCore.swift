import LinuxSystem
import Logging
import SandpoolAPI
import SandpoolModel
import SandpoolSandbox

/// The worker's heart: the table of attempts, and everything that happens to them in one order.
///
/// Runs on the loop's thread. It never waits and never touches the network; its parts are in
/// `WorkerCore+….swift`.
actor WorkerCore {
    /// What the core needs to know of the world.
    struct Settings: Sendable {
        var name: String
        var capacity: Resources
        var labels: [String: String]
        var offersHostImage: Bool
        var bootID: String
        var plans: PlanBuilder
        var now: @Sendable () -> Timestamp = { SystemClock.now() }
        /// How long a client may take nothing of the output of an exec that has ended.
        var execPatienceMs: UInt64
    }

    /// Bounds, with what they protect.
    enum Limits {
        /// Attempts in any state: far above any host's capacity.
        static let attempts = SessionLimits.attempts
        /// Unicode scalars of an outcome's message, each at most 11 bytes once it is written out.
        static let messageScalars = SessionLimits.messageBytes / 16
        /// Output sent and not yet durable at the coordinator, per session.
        static let unacknowledgedBytes: Int64 = 4 << 20
        /// Output read for one write to the session.
        static let bytesPerWrite = 512 << 10
        /// The same for execs, apart, so that neither kind holds the other up.
        static let execBytesPerWrite = 256 << 10
        /// Results in one message: their inline tails stay far under the frame limit.
        static let resultBytesPerMessage = 1 << 20
        /// How long a command's first output waits for its end before it goes out in frames.
        static let inlineHoldMs: UInt64 = 3
        /// How long word of a command's start waits for its end.
        static let startHoldMs: UInt64 = 30
        /// With more attempts than this alive, ends wait for company: nobody's slot stands idle for it.
        static let busyAttempts = 8
        /// How long they wait, and how many go at once.
        static let gatherMs: UInt64 = 20
        static let gatheredEnds = 16
        /// How long until a refused journal write is tried again.
        static let journalRetryMs: UInt64 = 1_000
        /// How long a launcher that is dismissed is waited for.
        static let dismissalMs: UInt64 = 10_000
    }

    nonisolated let thread: LoopThread
    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    let directory: WorkerDirectory
    let journal: ResultJournal
    let settings: Settings
    let log: Logger
    /// Fetches and builds; set once by the worker before anything runs.
    var preparer: (any AttemptPreparer)?
    let work: BackgroundWork
    let layerUse: LayerUse

    var attempts: [AttemptID: LiveAttempt] = [:]
    /// Further commands in the sandboxes of attempts.
    var execs: [ExecID: LiveExec] = [:]
    /// Execs with something to send, in the order of their turns.
    var execTurns = TurnQueue<ExecID>()
    /// Execs whose end was handed to the writer, and whose spools it may still be reading.
    var toldExecs: [ExecID] = []
    var outbox = Outbox()
    /// Attempts with output that may be sent, in the order of their turns.
    var outputTurns = TurnQueue<AttemptID>()
    /// Attempts whose result may be sent, oldest first.
    var resultTurns = TurnQueue<AttemptID>()
    var unacknowledgedBytes: Int64 = 0
    /// Ends that wait for company before they go to the journal.
    var gathered: [(id: AttemptID, end: AttemptEnd)] = []
    /// Counts the groups that went, so that a timer of one that is gone already does not send the next.
    var gatheredGroups: UInt64 = 0
    var isDraining = false

    var launcher: LauncherConnection?
    var hostFingerprint: String?
    /// Whether the launcher can make a writable layer that is not in memory; nil until it has said so.
    var makesDisks: Bool?
    var launcherWaiters = LauncherWaiters()
    /// Those of this worker's own that run now.
    var ownSandboxes: [String: OwnSandbox] = [:]
    /// What came out when this worker last attacked its own sandboxes. Without one, as in tests, there is no doubt.
    var verification: VerificationSummary?
    var door: VerificationDoor?
    /// Records and results of earlier runs, until the launcher has listed what it still has.
    var inherited = Inherited()

    var session = SessionState()

    init(
        thread: LoopThread, directory: WorkerDirectory, journal: ResultJournal, settings: Settings,
        work: BackgroundWork, layerUse: LayerUse, log: Logger
    ) {
        self.thread = thread
        self.directory = directory
        self.journal = journal
        self.settings = settings
        self.work = work
        self.layerUse = layerUse
        self.log = log
    }

    func setPreparer(_ preparer: any AttemptPreparer) { self.preparer = preparer }

    /// Applies an event to an attempt and does what its machine asks for.
    func apply(_ event: AttemptMachine.Event, to id: AttemptID) {
        guard let actions = attempts[id]?.machine.handle(event) else { return }
        for action in actions { perform(action, for: id) }
    }

    /// Does something later, on the core's own thread. What it is for may be gone by then.
    func schedule(afterMs delay: UInt64, _ action: @escaping (isolated WorkerCore) -> Void) {
        _ = thread.events.schedule(at: BoottimeClock.milliseconds() + delay) { action(self) }
    }
}
