import SandpoolModel

/// What a store can fail with. The description is one line for people.
public enum StoreError: Error, Hashable, Sendable {
    /// No space left for the database; nothing of the call was stored.
    case diskFull(String)
    /// The disk failed a read, a write or a sync; nothing of the call is known to be stored.
    case io(String)
    /// The file is not a database, or is damaged.
    case corrupt(String)
    /// A newer Sandpool wrote the database.
    case newerVersion(path: String, found: Int, supported: Int)
    /// The file cannot be opened: missing directory, permissions, or another process holds it.
    case cannotOpen(String)
    /// More writes wait than the queue takes; try again.
    case overloaded(limit: Int)
    /// The arguments break a rule of the schema or of `StoreLimits`; the same call fails again.
    case invalid(String)
    /// The worker was enrolled with another token, and has not been forgotten since; or the token is another worker's.
    case foreignWorker(WorkerID)
    /// The store was closed.
    case closed
}

extension StoreError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .diskFull(let detail): "database: no space left: \(detail); free disk space and try again"
        case .io(let detail): "database: the disk failed: \(detail); check the disk and the system log"
        case .corrupt(let detail): "database: damaged: \(detail); restore a backup"
        case .newerVersion(let path, let found, let supported):
            "database \(path) has version \(found), this Sandpool knows up to \(supported); upgrade Sandpool"
        case .cannotOpen(let detail): "database: cannot open: \(detail)"
        case .overloaded(let limit): "database: \(limit) writes are waiting; try again"
        case .invalid(let detail): "database: refused: \(detail)"
        case .foreignWorker(let id): "database: refused: \(id) was enrolled with another token; forget it first"
        case .closed: "database: closed"
        }
    }
}
