import GRDB
import SandpoolModel

/// The checker on a database, which may be in use: it opens it for reading and sees one snapshot of it.
///
/// Its memory does not grow with the database: it holds one job and one attempt at a time. As long as it reads, the
/// write-ahead log of a coordinator that writes cannot be merged, and grows.
public final class DatabaseCheck: Sendable {
    let path: String
    /// Reads the snapshot.
    private let snapshot: DatabaseQueue
    /// Reads what is there now, while the snapshot is open.
    private let current: DatabaseQueue

    /// Most lines of each of SQLite's own checks.
    static let lineLimit = 100

    /// What was looked at.
    public struct Counts: Hashable, Sendable {
        public var jobs = 0
        public var attempts = 0
    }

    /// Opens the database for reading.
    ///
    /// - Throws: `StoreError` where it is not there, is no database of ours, or is of another version.
    public init(path: String) throws {
        self.path = path
        snapshot = try ExistingDatabase.open(path)
        current = try ExistingDatabase.open(path)
    }

    /// Looks at everything once.
    ///
    /// - Parameters:
    ///   - look: called with each job and each attempt, for what is not in the database.
    ///   - find: called with each finding as it comes.
    /// - Throws: what `look` and `find` throw; a database that cannot be read is a finding.
    public func run(
        look: (Stored) throws -> Void = { _ in }, find: (CheckFinding) throws -> Void
    ) throws -> Counts {
        var counts = Counts()
        do {
            try snapshot.read { database in
                try checkFile(database, find)
                try checkOthers(database, find)
                try checkJobs(database, &counts, look, find)
            }
        } catch let error as DatabaseError {
            // What comes after it is unknown.
            try find(damage("\(StoreError.from(error))"))
        }
        return counts
    }

    /// Gives the files back. Without a coordinator an empty write-ahead log stays beside the database.
    public func close() throws {
        try snapshot.close()
        try current.close()
    }

    // MARK: The file

    private func checkFile(_ database: Database, _ find: (CheckFinding) throws -> Void) throws {
        let lines = try String.fetchAll(database, sql: "PRAGMA quick_check(\(Self.lineLimit))")
        for line in lines where line != "ok" { try find(damage("SQLite: \(TerminalText.harmless(line, limit: 400))")) }
        let cursor = try Row.fetchCursor(database, sql: "PRAGMA foreign_key_check")
        for _ in 0..<Self.lineLimit {
            guard let row = try cursor.next() else { break }
            let table = try row.decode(String.self, forColumn: "table")
            let parent = try row.decode(String.self, forColumn: "parent")
            let number = try row.decode(Int64?.self, forColumn: "rowid").map { "row \($0)" } ?? "a row"
            try find(
                CheckFinding(
                    .reference, at: path, "\(number) of \(table) names one of \(parent) that is not there",
                    remedy: AttemptAudit.restore))
        }
    }

    func damage(_ what: String) -> CheckFinding {
        CheckFinding(.damaged, at: path, what, remedy: AttemptAudit.restore)
    }

    // MARK: Rows beside those of the jobs

    private func checkOthers(_ database: Database, _ find: (CheckFinding) throws -> Void) throws {
        let identities = try database.row(CheckSQL.identities)?.decode(Int.self, forColumn: "identities") ?? 0
        if identities != 1 { try find(damage("the row that says which database this is, is missing")) }
        // They have no row ids, and quick_check leaves the constraints of such tables out.
        try readEach(TokenSQL.all, database, find) { _ = try SQLiteJobStore.token(from: $0) }
        try readEach(WorkerSQL.all, database, find) { _ = try SQLiteJobStore.worker(from: $0) }
        let leases = try Row.fetchCursor(database, sql: CheckSQL.strayLeases)
        while let row = try leases.next() {
            let attempt = try row.decode(String.self, forColumn: "id")
            let worker = try row.decode(String.self, forColumn: "worker")
            try find(
                CheckFinding(
                    .lease, at: TerminalText.harmless(attempt),
                    "is held by \(TerminalText.harmless(worker)), which was never enrolled",
                    remedy: AttemptAudit.restore))
        }
        let results = try Row.fetchCursor(database, sql: CheckSQL.secondResults)
        while let row = try results.next() {
            let attempt = TerminalText.harmless(try row.decode(String.self, forColumn: "id"))
            try find(
                CheckFinding(
                    .result, at: attempt, "has a late result and was not given up", remedy: AttemptAudit.restore))
        }
    }
}

extension DatabaseCheck {
    private func readEach(
        _ sql: String, _ database: Database, _ find: (CheckFinding) throws -> Void, _ read: (Row) throws -> Void
    ) throws {
        let rows = try Row.fetchCursor(database, sql: sql)
        while let row = try rows.next() {
            let id = try? row.decode(String.self, forColumn: "id")
            let place = TerminalText.harmless(id ?? "a row without an id", limit: 64)
            try reportingDamage(at: place, find) { try read(row) }
        }
    }

    /// Where a job stands now, which may be later than the snapshot; `nil` where it is gone.
    public func state(of job: JobID) throws -> JobState? {
        try now { try $0.row(CheckSQL.jobState, [job.text])?.word("state") }
    }

    /// What the database has of a stream's end as of now.
    public func tail(of attempt: AttemptID, _ stream: OutputStream) throws -> InlineOutput? {
        try now { try $0.row(CheckSQL.tail, [attempt.text, stream.rawValue]).map(SQLiteJobStore.tail) }
    }

    /// The job of an attempt as of now; `nil` where it is gone.
    public func job(of attempt: AttemptID) throws -> JobID? {
        try now { try $0.row(CheckSQL.jobOfAttempt, [attempt.text])?.identifier("id") }
    }

    private func now<Value>(_ body: (Database) throws -> Value) throws -> Value {
        do { return try current.read(body) } catch { throw StoreError.from(error) }
    }
}
