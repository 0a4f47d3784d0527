import SandpoolAPI
import SandpoolModel
import SandpoolSandbox
import SandpoolWorker

/// A host that runs sandboxes: its clocks and disk, its launcher, and its worker where one runs.
struct SimulatedHost {
    let index: Int
    let id: WorkerID
    var clock: HostClock
    var boots = 0
    var isUp = false
    var disk = WorkerDisk<AttemptRecord>()
    /// The newest renewal that a worker of this boot noted.
    var renewal: Renewal?
    var isDiskFull = false
    var isDiskSlow = false
    var path = Path()
    var launcher = SimulatedLauncher()
    var worker: WorkerProcess?
    /// When something of this worker last reached a coordinator that runs.
    var heardAt: Int64 = 0
    /// Since when its worker could have ended its sandboxes: it runs, goes on, and has its launcher.
    var ableSince: Int64?
    /// When the newest thing was sent to the coordinator that it has answered.
    var renewedAt: Int64 = .min / 2
    /// Results whose note of settling could not be written: they are reported once more after a restart.
    var unsettled: Set<AttemptLease> = []
    /// The same of what its worker noted for its successor: one that crashes before is counted as silent.
    var notedAt: Int64 = .min / 2
    /// Whether an operator took its worker for dead: then two runs of a job may meet.
    var wasForgotten = false
    /// Whether an operator's drain had a deadline.
    var hadDrainDeadline = false
    /// Losses of the session in a row.
    var losses = 0

    init(index: Int, clock: HostClock, _ chance: inout Chance) {
        self.index = index
        self.clock = clock
        id = chance.id(at: Timestamp(milliseconds: 1_750_000_000_000))
    }

    var bootID: String { "host-\(index)-boot-\(boots)" }
    var name: String { "host-\(index)" }

    static let capacity = Resources(cpuMillis: 2_000, memoryBytes: 4 << 30, diskBytes: 16 << 30)
}

/// A worker's process: the shipped state, and what its driver holds.
struct WorkerProcess {
    let start: Int
    var state: WorkerState
    /// The open connection to the coordinator, by its place among all.
    var connection: Int?
    var isWelcome = false
    var isWriteDue = false
    /// It stands still until then.
    var frozenUntil: Int64 = 0
    /// Numbers its connections to the launcher.
    var launcherConnection = 0
    var hasLauncher = false
    /// Moments at which the last of what was said arrives, each way.
    var toLauncher: Int64 = 0
    var fromLauncher: Int64 = 0
    var launcherTries = 0
    /// Whether a launcher has listed once what it has.
    var hasListed = false
    var journal = JournalWriter()
    /// Results that it found in its journal.
    var replayed: Set<AttemptLease> = []
    /// It ends before so many effects more; `nil`: it does not.
    var effectsLeft: Int?
    /// Uses of layers that were not given back.
    var layers = 0
    /// When renewals that the coordinator has answered were sent, by the world's time.
    var renewals: [Int64: Int64] = [:]
}

/// Writes of the journal: one under way, and what came meanwhile.
struct JournalWriter {
    var waiting: [WorkerDisk<AttemptRecord>.Line] = []
    var writing: [WorkerDisk<AttemptRecord>.Line] = []
    /// Whether what is being written is in the file, and waits for the disk.
    var isWritten = false
    /// How many lines there are then.
    var end = 0
}
