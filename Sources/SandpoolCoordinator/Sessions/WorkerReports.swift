import SandpoolAPI
import SandpoolModel
import SandpoolStore
import Synchronization

/// What a worker reported and the store has not got yet. The session's reader adds to it and goes on reading;
/// one loop records whatever has come together, so that a commit serves all of it.
final class WorkerReports: Sendable {
    /// Most results that wait; a worker beyond it is not read from until some are recorded.
    static let limit = 4_096
    /// The same in bytes of JSON: results carry output.
    static let byteLimit = 16 << 20

    struct Batch: Sendable {
        var progress: [AttemptProgress] = []
        var results: [AttemptResult] = []
        var returned: [AttemptLease] = []
        fileprivate var bytes = 0

        var count: Int { progress.count + results.count + returned.count }
    }

    private let batch = Mutex(Batch())
    private let added = Signal()
    private let taken = Signal()

    /// Adds a message of so many bytes; waits while too many are there already.
    func add(_ bytes: Int, _ change: @Sendable (inout Batch) -> Void) async {
        let isFull = batch.withLock { batch in
            change(&batch)
            batch.bytes += bytes
            return batch.count > Self.limit || batch.bytes > Self.byteLimit
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
