import Dispatch
import LinuxSystem
import Logging
import SandpoolAPI
import SandpoolModel
import SandpoolSandbox

/// The worker's heart at work: it feeds `WorkerState`, which decides, and does what that asks for.
///
/// Runs on the loop's thread. It never waits and never touches the network; its parts are in
/// `WorkerCore+….swift`. Execs, standard input and this worker's own sandboxes are no part of the state: they end
/// with this process or its session, so that there is nothing to be lost.
actor WorkerCore {
    /// What the core needs to know of the world beside what the state does.
    struct Settings: Sendable {
        var plans: PlanBuilder
        /// How long a client may take nothing of the output of an exec that has ended.
        var execPatienceMs: UInt64
    }

    enum Limits {
        /// Output of execs read for one write to the session, apart from that of attempts, so that neither kind
        /// holds the other up.
        static let execBytesPerWrite = 256 << 10
        /// How long a launcher that is dismissed is waited for.
        static let dismissalMs: UInt64 = 10_000
    }

    nonisolated let thread: LoopThread
    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    let directory: WorkerDirectory
    let journal: ResultJournal
    let renewal: RenewalFile
    let settings: Settings
    let log: Logger
    /// Fetches and builds; set once by the worker before anything runs.
    var preparer: (any AttemptPreparer)?
    let work: BackgroundWork
    /// Where long output is read for its digest, one attempt after the other.
    let digesting = DispatchQueue(label: "sandpool.worker.digests")
    let layerUse: LayerUse

    private(set) var state: WorkerState
    /// Events that came up while the effects of another were under way.
    private var followUps: [WorkerState.Event] = []
    private var isPerforming = false

    /// What is open of the attempts.
    var files: [AttemptID: AttemptFiles] = [:]
    /// Further commands in the sandboxes of attempts.
    var execs: [ExecID: LiveExec] = [:]
    /// Execs with something to send, in the order of their turns.
    var execTurns = TurnQueue<ExecID>()
    /// Execs whose end was handed to the writer, and whose spools it may still be reading.
    var toldExecs: [ExecID] = []
    var execOutbox = ExecOutbox()

    var launcher: LauncherConnection?
    var launcherWaiters = LauncherWaiters()
    /// Those of this worker's own that run now.
    var ownSandboxes: [String: OwnSandbox] = [:]
    var door: VerificationDoor?
    var writer = SessionWriter()

    init(
        thread: LoopThread, directory: WorkerDirectory, journal: ResultJournal, renewal: RenewalFile,
        state: WorkerState, settings: Settings, work: BackgroundWork, layerUse: LayerUse, log: Logger
    ) {
        self.thread = thread
        self.directory = directory
        self.journal = journal
        self.renewal = renewal
        self.state = state
        self.settings = settings
        self.work = work
        self.layerUse = layerUse
        self.log = log
    }

    func setPreparer(_ preparer: any AttemptPreparer) { self.preparer = preparer }

    /// Tells the state what happened and does what it asks for. What comes up by that waits until it is done.
    func step(_ event: WorkerState.Event) {
        guard !isPerforming else { return followUps.append(event) }
        isPerforming = true
        defer { isPerforming = false }
        for effect in state.step(event, at: SystemClock.moment()) { perform(effect) }
        while !followUps.isEmpty {
            let events = followUps
            followUps = []
            for event in events {
                for effect in state.step(event, at: SystemClock.moment()) { perform(effect) }
            }
        }
    }

    func takeFromState() -> [WorkerState.Item] { state.takeOutbound() }

    /// Does something later, on the core's own thread. What it is for may be gone by then.
    func schedule(afterMs delay: UInt64, _ action: @escaping (isolated WorkerCore) -> Void) {
        _ = thread.events.schedule(at: BoottimeClock.milliseconds() + delay) { action(self) }
    }
}
