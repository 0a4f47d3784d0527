import GRDB
import SandpoolModel

/// Why a fenced write changed nothing.
struct Standing {
    var verdict: Verdict
    /// The attempt's row where it ended without its worker's word, so that a late result is kept.
    var endedWithoutReport: Int64?
}

extension SQLiteJobStore {
    /// Tells a repeated event from a refused one, after a fenced write matched no row.
    static func standing(of lease: LeaseKey, event: AttemptEvent, in database: Database) throws -> Standing {
        let arguments: StatementArguments = [lease.attempt.text, lease.epoch, lease.worker.text]
        guard let row = try database.row(AttemptSQL.held, arguments) else { return Standing(verdict: .fenced) }
        let state: AttemptState = try row.word("state")
        switch state.decide(event) {
        case .duplicate: return Standing(verdict: .duplicate)
        case .refuse:
            let isAside = state == .lost || state == .superseded
            return Standing(
                verdict: .fenced,
                endedWithoutReport: isAside ? try row.decode(Int64.self, forColumn: "sequence") : nil)
        case .move(let next):
            throw StoreError.corrupt("\(lease.attempt) is \(state.rawValue) and did not move to \(next.rawValue)")
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
