import SandpoolAPI
import SandpoolModel

extension Pool {
    /// Stores a job. It runs whether or not somebody follows it.
    public func submit(_ spec: JobSpec) async throws -> Job {
        try await http.post(Routes.jobs, spec)
    }

    /// Stores several jobs, all or none.
    public func submit(_ specs: [JobSpec]) async throws -> [Job] {
        try await http.post(Routes.jobs, specs)
    }

    /// A job by id, name, unique suffix of an id, or `@last`.
    public func job(_ reference: String) async throws -> Job {
        try await http.get(Routes.job(Query.escape(reference)))
    }

    /// Jobs, newest first.
    ///
    /// - Parameters:
    ///   - states: only these; all that are not finished where empty and `all` is not set.
    ///   - tags: only jobs that carry every one of these.
    ///   - limit: most jobs in the answer; `nil` leaves it to the coordinator.
    public func jobs(
        states: [JobState] = [], tags: [String: String] = [:], limit: Int? = nil, all: Bool = false
    ) async throws -> [Job] {
        var query = Query()
        for state in states { query.add("state", state.rawValue) }
        for (key, value) in tags.sorted(by: { $0.key < $1.key }) { query.add("tag", "\(key)=\(value)") }
        if let limit { query.add("limit", String(limit)) }
        if all { query.add("all", "true") }
        return try await http.get(Routes.jobs + query.text)
    }

    /// Waits until a job is finished; outlasts a coordinator that restarts.
    public func wait(for reference: String) async throws -> Job {
        var backoff = Backoff()
        let target = Routes.job(Query.escape(reference)) + "?wait=true"
        while true {
            do {
                let job: Job = try await http.get(target)
                if job.state.isTerminal { return job }
                backoff.reset()
            } catch let error as SandpoolError where error.isConnectionLoss {
                try await Task.sleep(for: backoff.delay(after: error))
            }
        }
    }

    /// Ends a job: SIGTERM, its grace, then everything in its sandbox is killed. A finished job stays as it is.
    @discardableResult
    public func cancel(_ reference: String) async throws -> Job {
        try await http.post(Routes.job(Query.escape(reference)) + "/cancel", nil as JobSpec?)
    }

    /// Has a job run after all that is held since its pool was restored from a backup: it waited then, and may have run
    /// since. Any other job stays as it is.
    @discardableResult
    public func release(_ reference: String) async throws -> Job {
        try await http.post(Routes.job(Query.escape(reference)) + "/release", nil as JobSpec?)
    }

    /// Sends a signal to a job's command.
    public func signal(_ reference: String, _ signal: Int) async throws {
        let body = try WireJSON.encode(SignalRequest(signal: signal))
        _ = try await http.request(.POST, Routes.job(Query.escape(reference)) + "/signal", json: body)
    }

    /// What a job waits for, or what ended it.
    public func why(_ reference: String) async throws -> Explanation {
        try await http.get(Routes.job(Query.escape(reference)) + "/why")
    }
}
