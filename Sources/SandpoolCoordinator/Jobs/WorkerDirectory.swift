import SandpoolModel
import SandpoolStore
import Synchronization

/// The enrolled workers, connected or not, as the store has them.
final class WorkerDirectory: Sendable {
    private let records = Mutex<[WorkerID: WorkerRecord]>([:])

    func replaceAll(_ all: [WorkerRecord]) {
        records.withLock { table in
            table = Dictionary(uniqueKeysWithValues: all.map { ($0.registration.id, $0) })
        }
    }

    func update(_ record: WorkerRecord) { records.withLock { $0[record.registration.id] = record } }

    func remove(_ id: WorkerID) { records.withLock { $0[id] = nil } }

    func setDrain(_ drain: Drain?, of id: WorkerID) { records.withLock { $0[id]?.drain = drain } }

    /// By name, then id.
    var all: [WorkerRecord] {
        records.withLock { Array($0.values) }.sorted { left, right in
            (left.registration.name, left.registration.id) < (right.registration.name, right.registration.id)
        }
    }
}

extension WorkerOffer {
    init(_ record: WorkerRecord) {
        let registration = record.registration
        self.init(
            id: registration.id, capacity: registration.capacity, labels: registration.labels,
            images: Set(registration.images), offersHostImage: registration.offersHostImage,
            drains: record.drain != nil, makesDisks: registration.makesDisks)
    }
}
