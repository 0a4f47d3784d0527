import Hummingbird
import SandpoolAPI
import SandpoolModel

/// `/v1/prune`.
struct PruneHandler: Sendable {
    let parts: CoordinatorParts

    /// Most jobs that go in one request, so that none lasts long.
    private static let limit = 1_000

    func prune(_ request: Request) async throws -> Response {
        let seconds = try await request.json(PruneRequest.self).olderThanSeconds
        let longest = DurationText.longest.inSeconds
        guard (0...longest).contains(seconds) else {
            throw APIError(
                status: 422, code: "invalid_age",
                message: "olderThanSeconds: \(seconds) is not in 0 to \(Int(longest))",
                hint: "say how long ago a job must have ended at least")
        }
        let moment = parts.clock.now.advanced(by: .seconds(-seconds))
        var answer = PruneAnswer(jobs: 0, bytes: 0, isDone: false)
        while answer.jobs < Self.limit, !answer.isDone {
            let pruned = try await parts.pruner.prune(endedBy: moment)
            answer.jobs += pruned.jobs
            answer.bytes += pruned.bytes
            answer.isDone = pruned.jobs < Pruner.batch
        }
        return try .json(answer)
    }
}
