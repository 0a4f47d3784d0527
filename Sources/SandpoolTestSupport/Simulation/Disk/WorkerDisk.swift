import SandpoolAPI
import SandpoolModel

/// A worker's files: what a crash of the process leaves, and what one of the host does.
///
/// `Record` is the worker's own record of an attempt. Records are written and not synced; the journal's results are
/// synced, its notes of settling are not (`AttemptRecords`, `ResultJournal`).
struct WorkerDisk<Record> {
    enum Line {
        case result(AttemptResult)
        case settled(AttemptLease)
    }

    private(set) var journal: [Line] = []
    /// How many lines of the journal a crash of the host leaves for certain.
    private(set) var durableLines = 0
    private(set) var records: [AttemptID: Record] = [:]
    /// Those that the kernel may not have written yet.
    private var unsyncedRecords: Set<AttemptID> = []
    private var recordsOrder: [AttemptID] = []

    /// Results that were not settled, oldest first.
    var pending: [AttemptResult] {
        var order: [AttemptLease] = []
        var results: [AttemptLease: AttemptResult] = [:]
        for line in journal {
            switch line {
            case .result(let result):
                if results.updateValue(result, forKey: result.lease) == nil { order.append(result.lease) }
            case .settled(let lease): results[lease] = nil
            }
        }
        return order.compactMap { results.removeValue(forKey: $0) }
    }

    /// Whether a result of this lease is on the disk whatever happens.
    func isDurable(_ lease: AttemptLease) -> Bool {
        journal.prefix(durableLines).contains {
            if case .result(let result) = $0 { result.lease == lease } else { false }
        }
    }

    var savedRecords: [Record] { recordsOrder.compactMap { records[$0] } }

    mutating func append(_ lines: [Line]) { journal += lines }
    mutating func sync(lines: Int) { durableLines = max(durableLines, lines) }

    mutating func save(_ record: Record, of attempt: AttemptID) {
        if records.updateValue(record, forKey: attempt) == nil { recordsOrder.append(attempt) }
        unsyncedRecords.insert(attempt)
    }

    mutating func removeRecord(of attempt: AttemptID) {
        records[attempt] = nil
        recordsOrder.removeAll { $0 == attempt }
        unsyncedRecords.remove(attempt)
    }

    /// The host goes down: what was not synced is there in part.
    ///
    /// - Returns: whether lines of the journal and whether records were lost.
    mutating func crash(_ chance: inout Chance) -> (journal: Bool, records: Bool) {
        let kept = chance.number(durableLines...journal.count)
        let isTorn = kept < journal.count
        journal.removeSubrange(kept...)
        durableLines = kept
        var isLost = false
        for attempt in recordsOrder where unsyncedRecords.contains(attempt) && chance.one(in: 2) {
            records[attempt] = nil
            isLost = true
        }
        recordsOrder.removeAll { records[$0] == nil }
        unsyncedRecords = []
        return (isTorn, isLost)
    }
}
