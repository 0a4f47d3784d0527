import SandpoolAPI
import SandpoolModel
import SandpoolStore
import Synchronization

/// What a worker reported and the store has not got yet. The session's reader adds to it and goes on reading;
/// one loop records whatever has come together, so that a commit serves all of it.
final class WorkerReports: Sendable {
    /// Most results that wait; a worker beyond it is not read from until some are recorded.
    static let limit = 4_096

    struct Batch: Sendable {
        var progress: [AttemptProgress] = []
        var results: [AttemptResult] = []
        var returned: [AttemptLease] = []

        var count: Int { progress.count + results.count + returned.count }
    }

    private let batch = Mutex(Batch())
    private let added = Signal()
    private let taken = Signal()

    /// Adds a report; waits while too many are there already.
    func add(_ change: @Sendable (inout Batch) -> Void) async {
        let isFull = batch.withLock { batch in
            change(&batch)
            return batch.count > Self.limit
        }
        added.raise()
        if isFull { _ = await taken.wait() }
    }

    /// Everything that came since; waits for the first. `nil` after `close`.
    func next() async -> Batch? {
        while true {
            let batch = batch.withLock { batch in
                defer { batch = Batch() }
                return batch
            }
            taken.raise()
            if batch.count > 0 { return batch }
            guard await added.wait() else { return nil }
        }
    }

    func close() {
        added.close()
        taken.close()
    }
}
