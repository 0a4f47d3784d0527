import SandpoolCoordinator
import SandpoolModel
import SandpoolStore

/// The coordinator's host: its clock, its disk, and the process where one runs.
struct SimulatedCoordinator {
    var clock: HostClock
    var isHostUp = true
    var isDiskFull = false
    var isDiskSlow = false
    /// One commit or sync in so many fails; 0: none does.
    var failureOdds = 0
    var generation: Int64 = 0
    /// What is committed.
    var store = MemoryStore()
    /// What a crash of the host leaves, where the store does not sync before it answers.
    var syncedStore: MemoryStore?
    var output = OutputDisk()
    var process: CoordinatorProcess?

    init(clock: HostClock) { self.clock = clock }
}

/// The coordinator's process: the shipped state, and what its driver holds.
struct CoordinatorProcess {
    let start: Int
    var state: CoordinatorState
    var isListening = false
    /// The readers of its sessions, by their ids; the connection of each is its id's number.
    var readers: [SessionID: SessionReader] = [:]
    /// Writes that wait for the next commit, and those of the one under way.
    var waiting: [StoreWrite] = []
    var committing: [StoreWrite] = []
    var isSyncing = false
    /// Conversations whose call is outstanding, and those whose turn waits for its end.
    var calling: Set<Conversation> = []
    var lateTurns: Set<Conversation> = []
    var effectsLeft: Int?
    var commands: [CommandID: Int] = [:]
    var commandCount: UInt64 = 0
}

/// What reads one session: a frame is taken when the one before it is done with.
struct SessionReader {
    var inbox: [UpItem] = []
    var isOpen = false
    var isPaused = false
    var isAppending = false
    var isEnded = false
    /// The bytes of the last output frame.
    var piece: OutputPiece?
}

/// A write that waits for its commit.
enum StoreWrite {
    case call(Conversation, StoreCall, now: Timestamp)
    case submit(job: Int, now: Timestamp)
}
