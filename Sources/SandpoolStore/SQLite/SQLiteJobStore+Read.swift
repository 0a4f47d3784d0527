import GRDB
import SandpoolModel

extension SQLiteJobStore {
    public func job(_ id: JobID) async throws -> Job? {
        try await read { database in
            try database.row(JobSQL.byID, [id.text]).map { try Self.job(from: $0, in: database) }
        }
    }

    public func jobs(_ query: JobQuery) async throws -> [Job] {
        try Bounds.check(limit: query.limit)
        return try await read { database in
            // One search for each state, because only an equality is served by the index in the order wanted.
            let rows =
                query.states.isEmpty
                ? try Self.list(query, state: nil, in: database)
                : try query.states.flatMap { try Self.list(query, state: $0, in: database) }
            let numbered = try rows.map { (row: $0, sequence: try $0.decode(Int64.self, forColumn: "sequence")) }
            return try numbered.sorted { $0.sequence > $1.sequence }.prefix(query.limit).map {
                try Self.job(from: $0.row, in: database)
            }
        }
    }

    public func counts() async throws -> [JobState: Int] {
        try await read { database in
            let pairs = try database.rows(JobSQL.countsByState).map {
                (try $0.word("state") as JobState, try $0.decode(Int.self, forColumn: "jobs"))
            }
            return Dictionary(uniqueKeysWithValues: pairs)
        }
    }

    private static func list(_ query: JobQuery, state: JobState?, in database: Database) throws -> [Row] {
        var arguments: [any DatabaseValueConvertible] = []
        for (key, value) in query.tags { arguments += [key, value] }
        if let state { arguments.append(state.rawValue) }
        arguments.append(query.limit)
        let sql = JobSQL.list(inOneState: state != nil, tagCount: query.tags.count)
        return try database.rows(sql, StatementArguments(arguments))
    }

    private static func job(from row: Row, in database: Database) throws -> Job {
        let spec: JobSpec = try row.json("spec")
        let cause: Cause? = try row.wordIfPresent("cause")
        let outcome = try cause.map {
            Outcome(
                cause: $0, exitCode: try row.decode(forColumn: "exit_code"),
                signal: try row.decode(forColumn: "signal"),
                message: try row.decode(forColumn: "message"))
        }
        let sequence = try row.decode(Int64.self, forColumn: "sequence")
        let attempts = try database.rows(JobSQL.attempts, [sequence]).map(Self.attempt)
        return Job(
            id: try row.identifier("id"), name: spec.name, tags: spec.tags, state: try row.word("state"),
            returnCode: outcome?.returnCode, exitCode: outcome?.exitCode, signal: outcome?.signal, cause: cause,
            fault: cause?.fault, message: outcome?.message, command: spec.command, image: spec.image,
            worker: attempts.last?.worker, attempts: attempts, spec: spec, createdAt: try row.moment("created_at_ms"),
            startedAt: try row.momentIfPresent("started_at_ms"),
            finishedAt: try row.momentIfPresent("finished_at_ms"))
    }

    static func attempt(from row: Row) throws -> Attempt {
        let cause: Cause? = try row.wordIfPresent("cause")
        let outcome = try cause.map {
            Outcome(
                cause: $0, exitCode: try row.decode(forColumn: "exit_code"),
                signal: try row.decode(forColumn: "signal"),
                message: try row.decode(forColumn: "message"),
                commandStarted: try row.decode(forColumn: "command_started"),
                isRetryable: try row.decode(forColumn: "retryable"))
        }
        let evidence = try row.decode(String?.self, forColumn: "evidence")
        return Attempt(
            id: try row.identifier("id"), worker: try row.identifier("worker"),
            epoch: try row.decode(forColumn: "epoch"), state: try row.word("state"), outcome: outcome,
            evidence: try evidence.map { try StoredJSON.decode(Evidence.self, from: $0) },
            createdAt: try row.moment("created_at_ms"), startedAt: try row.momentIfPresent("started_at_ms"),
            finishedAt: try row.momentIfPresent("finished_at_ms"))
    }
}
