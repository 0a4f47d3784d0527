import SandpoolAPI
import SandpoolModel
import SandpoolStore

/// Workers' sessions, from their first frame until their connection is over and their last call answered.
struct Sessions: Sendable {
    var all: [SessionID: SessionState] = [:]
    /// The same by worker.
    private var workers: [WorkerID: Set<SessionID>] = [:]
    /// Those whose connection was over before their first frame was taken in.
    private var missed: Set<SessionID> = []
    /// Those whose inventory is being compared.
    var opening: Set<SessionID> = []
    /// The open one of each connected worker.
    private(set) var open: [WorkerID: SessionID] = [:]

    /// When each worker sent the newest hello that was taken, and on which boot of its host.
    private var greetings: [WorkerID: (bootID: String, sentMs: Int64)] = [:]

    /// Oldest first.
    var ids: [SessionID] { all.keys.sorted() }

    /// A worker's, whether they are used or not; oldest first.
    func ids(of worker: WorkerID) -> [SessionID] { workers[worker, default: []].sorted() }

    func current(of worker: WorkerID) -> SessionID? { open[worker] }

    func isOpen(_ id: SessionID) -> Bool { all[id].map { open[$0.worker] == id } ?? false }

    /// Whether a hello was sent before one that was taken.
    func isOlder(_ hello: WorkerHello) -> Bool {
        guard let newest = greetings[hello.id], let sentMs = hello.sentMs else { return false }
        return newest.bootID == hello.bootID && sentMs < newest.sentMs
    }

    /// The session's hello is taken: it is known to be its worker's.
    mutating func noteGreeting(of id: SessionID) {
        guard let hello = all[id]?.opening?.hello, let sentMs = hello.sentMs else { return }
        greetings[hello.id] = (hello.bootID, sentMs)
    }

    /// The worker is not enrolled any more.
    mutating func forget(_ worker: WorkerID) { greetings[worker] = nil }

    /// Takes a session in; `false` for one whose connection is over already.
    mutating func add(_ id: SessionID, _ hello: WorkerHello) -> Bool {
        guard missed.remove(id) == nil else { return false }
        all[id] = SessionState(hello)
        workers[hello.id, default: []].insert(id)
        return true
    }

    /// The connection of a session that is not here is over.
    mutating func miss(_ id: SessionID) { missed.insert(id) }

    /// Nothing more is to come of a session.
    mutating func remove(_ id: SessionID) {
        guard let worker = all.removeValue(forKey: id)?.worker else { return }
        workers[worker]?.remove(id)
        if workers[worker]?.isEmpty ?? false { workers[worker] = nil }
    }

    /// Opens a session; from now on it is its worker's.
    mutating func open(_ id: SessionID) {
        guard let worker = all[id]?.worker else { return }
        opening.remove(id)
        all[id]?.opening = nil
        open[worker] = id
    }

    /// Takes a session out of use; whether it was its worker's.
    mutating func leave(_ id: SessionID) -> Bool {
        opening.remove(id)
        guard let worker = all[id]?.worker else { return false }
        all[id]?.isOver = true
        guard open[worker] == id else { return false }
        open[worker] = nil
        return true
    }

    /// Notes the end of an attempt for those who compare inventories.
    mutating func noteEnd(of lease: LeaseKey) {
        for id in workers[lease.worker, default: []] where opening.contains(id) {
            all[id]?.opening?.ended.insert(lease)
        }
    }
}

struct SessionState: Sendable {
    let worker: WorkerID
    /// The worker's process, as it names itself.
    let process: String?
    /// `nil` once it is open.
    var opening: Opening?
    /// It is not used any more: ended, or replaced by another one.
    var isOver = false
    /// Its connection is over.
    var isClosed = false
    var reports = ReportBatch()
    var recording: Recording?
    /// What the worker runs of a future that was lost when the database was restored from a backup.
    var strangers: Set<AttemptLease> = []
    /// Why the worker gets no jobs, whatever operators say.
    var hindrance: String?
    /// The output that is being placed.
    var placing: (stream: OutputStreamID, offset: Int64)?

    init(_ hello: WorkerHello) {
        worker = hello.id
        process = hello.process
        opening = Opening(hello: hello)
    }
}

/// How far the opening of a session has come. Each step but `waiting` is a call.
struct Opening: Sendable {
    enum Step: Hashable, Sendable {
        case enrolling
        /// No lease may be on its way to an older session while the inventory is compared.
        case waiting
        case listing, returning, losing, clearing, flushing
    }

    let hello: WorkerHello
    var step = Step.enrolling
    /// What goes on, or has a result that waits to be reported.
    var kept: [LiveAttempt] = []
    /// What follows from the inventory; `returned` and `lost` are taken out of it as they are recorded.
    var reconciliation = Reconciliation()
    /// Streams that are being made durable.
    var flushing: [OutputStreamID] = []
    /// Attempts of the worker that ended meanwhile.
    var ended: Set<LeaseKey> = []
}
