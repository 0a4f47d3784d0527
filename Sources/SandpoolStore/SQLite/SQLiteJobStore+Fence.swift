import GRDB
import SandpoolModel

/// An attempt and its job, as a fenced write finds them at the begin of its decision.
struct HeldAttempt {
    let lease: LeaseKey
    let sequence: Int64
    let state: AttemptState
    let createdAt: Timestamp
    var startedAt: Timestamp?
    let job: Int64
    let jobID: JobID
    let isCancelRequested: Bool
    let counts: RetryCounts

    /// The attempt that a worker holds under this very lease, live or ended.
    static func find(_ lease: LeaseKey, in database: Database) throws -> HeldAttempt? {
        try database.row(AttemptSQL.held, [lease.attempt.text, lease.epoch, lease.worker.text]).map {
            try HeldAttempt(lease, $0)
        }
    }

    private init(_ lease: LeaseKey, _ row: Row) throws {
        self.lease = lease
        sequence = try row.decode(forColumn: "sequence")
        state = try row.word("state")
        createdAt = try row.moment("created_at_ms")
        startedAt = try row.momentIfPresent("started_at_ms")
        job = try row.decode(forColumn: "job")
        jobID = try row.identifier("id")
        isCancelRequested = try row.momentIfPresent("cancel_requested_at_ms") != nil
        counts = try row.retryCounts()
    }

    /// Runs an UPDATE that ends with the fence; it was decided in this transaction, so it changes one row.
    func update(_ sql: String, _ values: StatementArguments = [], in database: Database) throws {
        let changed = try database.change(sql, values + [sequence, lease.epoch, lease.worker.text])
        guard changed == 1 else { throw StoreError.corrupt("\(lease.attempt) did not move from \(state.rawValue)") }
    }

    /// Runs an UPDATE of the job, which is starting or running while an attempt is live.
    func updateJob(_ sql: String, _ arguments: StatementArguments, in database: Database) throws {
        guard try database.change(sql, arguments) == 1 else {
            throw StoreError.corrupt("\(jobID) is neither starting nor running, and \(lease.attempt) was live")
        }
    }
}

/// What a fenced write may do.
enum Admission {
    /// The event moves the attempt.
    case move(HeldAttempt)
    /// Nothing is to be written, and this is the answer.
    case answer(Verdict, HeldAttempt?)

    init(_ lease: LeaseKey, _ event: AttemptEvent, in database: Database) throws {
        guard let attempt = try HeldAttempt.find(lease, in: database) else {
            self = .answer(.fenced, nil)
            return
        }
        switch attempt.state.decide(event) {
        case .move: self = .move(attempt)
        case .duplicate: self = .answer(.duplicate, attempt)
        case .refuse: self = .answer(.fenced, attempt)
        }
    }
}

extension Row {
    /// The columns `id`, `epoch` and `worker` of an attempt.
    func lease() throws -> LeaseKey {
        LeaseKey(
            attempt: try identifier("id"), epoch: try decode(forColumn: "epoch"), worker: try identifier("worker"))
    }
}
