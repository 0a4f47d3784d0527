import HTTPTypes
import Hummingbird
import SandpoolAPI
import SandpoolModel
import SandpoolStore

/// `/v1/tokens`.
struct TokenHandlers: Sendable {
    let tokens: TokenAuthority
    let store: any JobStore
    let workers: WorkerHandlers

    func list() async throws -> Response { try .json(try await store.tokens().map(TokenInfo.init)) }

    func create(_ request: Request) async throws -> Response {
        let wanted = try await request.json(CreateToken.self)
        do { try ResourceName.check(wanted.name) } catch {
            throw APIError(
                status: 422, code: "invalid_name", message: "name: \(error.message)", hint: error.hint)
        }
        let worker = try await worker(of: wanted)
        return try .json(
            try await tokens.create(name: wanted.name, role: wanted.role, worker: worker), status: .created)
    }

    /// The worker whose next token is wanted.
    private func worker(of wanted: CreateToken) async throws -> WorkerID? {
        guard let reference = wanted.worker else { return nil }
        guard wanted.role == .worker else {
            throw APIError(
                status: 422, code: "invalid_token",
                message: "worker: a token with the role \(wanted.role.rawValue) is "
                    + "no worker's", hint: "ask for the role worker, or leave the worker out")
        }
        return try await workers.record(reference).registration.id
    }

    func revoke(_ reference: String) async throws -> Response {
        guard let id = TokenID(reference), try await tokens.revoke(id) else {
            throw APIError.notFound("token \(TerminalText.harmless(reference, limit: 64))")
        }
        return Response(status: .noContent)
    }
}
