import SandpoolModel

/// What fences a write: an attempt, the epoch under which it is held, and who holds it.
public struct LeaseKey: Hashable, Sendable {
    public var attempt: AttemptID
    /// The number of the attempt among its job's, from 1.
    public var epoch: Int64
    public var worker: WorkerID

    public init(attempt: AttemptID, epoch: Int64, worker: WorkerID) {
        self.attempt = attempt
        self.epoch = epoch
        self.worker = worker
    }
}

/// What became of a fenced write.
public enum Verdict: Hashable, Sendable {
    /// Stored now.
    case recorded
    /// Stored before; answer as if done now.
    case duplicate
    /// Refused: there is no such lease, it has ended otherwise, or the event cannot happen to it.
    case fenced
}
