import SandpoolAPI
import SandpoolModel

extension Pool {
    public func workers() async throws -> [WorkerInfo] { try await http.get(Routes.workers) }

    public func worker(_ reference: String) async throws -> WorkerInfo {
        try await http.get("\(Routes.workers)/\(Query.escape(reference))")
    }

    /// What can be asked of a worker.
    public enum WorkerAction: String, Sendable {
        /// Take jobs again.
        case resume
        /// Declare it gone for good: what it ran is lost, and its return is refused.
        case forget
    }

    public func worker(_ reference: String, _ action: WorkerAction) async throws -> WorkerInfo {
        try await http.post("\(Routes.workers)/\(Query.escape(reference))/\(action.rawValue)", nil as JobSpec?)
    }

    /// Has a worker take nothing new and give back what it has not started.
    ///
    /// - Parameters:
    ///   - reason: one line for people, at most 1,024 bytes.
    ///   - deadline: after how long what still runs is ended, and run elsewhere where a second run is safe; `nil`:
    ///     it may finish. At most a year.
    public func drainWorker(
        _ reference: String, reason: String? = nil, deadline: Duration? = nil
    ) async throws -> WorkerInfo {
        try await http.post(
            "\(Routes.workers)/\(Query.escape(reference))/drain",
            DrainRequest(reason: reason, deadlineSeconds: deadline?.inSeconds))
    }

    public func tokens() async throws -> [TokenInfo] { try await http.get(Routes.tokens) }

    /// Makes a token. Its secret is in this answer and nowhere else.
    ///
    /// - Parameter worker: with the role `worker`, the enrolled worker whose token it replaces once the worker uses it.
    public func createToken(name: String, role: TokenRole, worker: String? = nil) async throws -> CreatedToken {
        try await http.post(Routes.tokens, CreateToken(name: name, role: role, worker: worker))
    }

    /// Revokes a token; sessions that use it are cut within a second.
    public func revokeToken(_ id: String) async throws {
        _ = try await http.request(.DELETE, "\(Routes.tokens)/\(Query.escape(id))")
    }
}
