import GRDB
import SandpoolModel

extension DatabaseCheck {
    /// Goes through the jobs in the order of their submission, each with its attempts.
    func checkJobs(
        _ database: Database, _ counts: inout Counts, _ look: (Stored) throws -> Void,
        _ find: (CheckFinding) throws -> Void
    ) throws {
        let rows = try Row.fetchCursor(database.cachedStatement(sql: CheckSQL.jobs))
        while let row = try rows.next() {
            counts.jobs += 1
            let id = try? row.decode(String.self, forColumn: "id")
            let place = TerminalText.harmless(id ?? "a job without an id", limit: 64)
            try reportingDamage(at: place, find) {
                try check(row, place, database, &counts, look, find)
            }
        }
    }

    private func check(
        _ row: Row, _ place: String, _ database: Database, _ counts: inout Counts, _ look: (Stored) throws -> Void,
        _ find: (CheckFinding) throws -> Void
    ) throws {
        let sequence = try row.decode(Int64.self, forColumn: "sequence")
        let job = try AuditedJob(row)
        try look(.job(job.id, job.state, job.spec))
        if let difference = try difference(of: row, to: job.spec, sequence, in: database) {
            try find(job.finding(.spec, difference))
        }
        var audit = JobAudit(job)
        let attempts = try Row.fetchCursor(database.cachedStatement(sql: CheckSQL.attempts), arguments: [sequence])
        while let row = try attempts.next() {
            counts.attempts += 1
            let attempt = try SQLiteJobStore.attempt(from: row)
            for finding in audit.take(attempt) { try find(finding) }
            let tails = try database.rows(CheckSQL.tails, [try row.decode(Int64.self, forColumn: "sequence")])
            try look(
                .attempt(
                    StoredAttempt(
                        job: job.id, attempt: attempt, tails: try tails.map(StoredTail.init),
                        downloads: try row.decode(forColumn: "downloads"))))
        }
        for finding in audit.close() { try find(finding) }
    }

    /// In which column a job's row says something else than its spec.
    private func difference(
        of row: Row, to spec: JobSpec, _ sequence: Int64, in database: Database
    ) throws -> String? {
        var wrong: [String] = []
        if try row.decode(String?.self, forColumn: "name") != spec.name { wrong.append("name") }
        if try row.decode(Int.self, forColumn: "priority") != spec.priority { wrong.append("priority") }
        if try row.decode(String?.self, forColumn: "image") != spec.image { wrong.append("image") }
        if try row.decode(String?.self, forColumn: "idempotency_key") != spec.idempotencyKey { wrong.append("key") }
        if try row.json("require") as [String: String] != spec.require { wrong.append("labels") }
        var tags: [String: String] = [:]
        for tag in try database.rows(CheckSQL.tags, [sequence]) {
            tags[try tag.decode(String.self, forColumn: "key")] = try tag.decode(String.self, forColumn: "value")
        }
        if tags != spec.tags { wrong.append("tags") }
        return wrong.isEmpty ? nil : "its row and its spec differ in: \(wrong.joined(separator: ", "))"
    }

    /// A row that cannot be read is a finding, and the next one may be readable.
    func reportingDamage(
        at place: String, _ find: (CheckFinding) throws -> Void, _ body: () throws -> Void
    ) throws {
        let what: String
        do {
            return try body()
        } catch StoreError.corrupt(let detail) {
            what = detail
        } catch let error as RowDecodingError {
            what = "\(error)"
        }
        let detail = TerminalText.harmless(what, limit: 400)
        try find(CheckFinding(.damaged, at: place, "cannot be read: \(detail)", remedy: AttemptAudit.restore))
    }
}

extension AuditedJob {
    fileprivate init(_ row: Row) throws {
        let id: JobID = try row.identifier("id")
        guard try row.decode(String?.self, forColumn: "spec") != nil else { throw StoreError.corrupt("has no spec") }
        let cause: Cause? = try row.wordIfPresent("cause")
        self.init(
            id: id, spec: try row.json("spec"), state: try row.word("state"),
            epoch: try row.decode(forColumn: "epoch"), counts: try row.retryCounts(),
            isCancelRequested: try row.momentIfPresent("cancel_requested_at_ms") != nil,
            end: try cause.map {
                JobEnd(
                    cause: $0, exitCode: try row.decode(forColumn: "exit_code"),
                    signal: try row.decode(forColumn: "signal"))
            },
            createdAt: try row.moment("created_at_ms"), startedAt: try row.momentIfPresent("started_at_ms"),
            finishedAt: try row.momentIfPresent("finished_at_ms"))
    }
}

extension StoredTail {
    fileprivate init(_ row: Row) throws {
        self.init(
            stream: try row.word("stream"), offset: try row.decode(forColumn: "offset"),
            count: try row.decode(forColumn: "count"))
    }
}
