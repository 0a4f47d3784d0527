import SandpoolAPI
import SandpoolModel

/// What earlier runs of this worker left behind, until it is known what the launcher still has of it.
struct Inherited: Sendable {
    var records: [AttemptID: AttemptRecord] = [:]
    var results: [AttemptID: AttemptResult] = [:]
    /// Sandboxes that this connection's launcher has.
    var adopted: Set<AttemptID> = []

    init() {}

    init(records: [AttemptRecord], results: [AttemptResult]) {
        for record in records { self.records[record.lease.attempt] = record }
        for result in results { self.results[result.lease.attempt] = result }
    }

    var isEmpty: Bool { records.isEmpty && results.isEmpty }
}
