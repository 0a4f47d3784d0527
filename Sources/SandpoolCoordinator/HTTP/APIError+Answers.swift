import HTTPTypes
import Hummingbird
import NIOCore
import SandpoolAPI
import SandpoolModel
import SandpoolStore

extension APIError {
    static func notFound(_ what: String) -> APIError {
        APIError(status: 404, code: "not_found", message: "\(what): there is nothing of that name")
    }

    static func tooLarge(_ what: String, limit: Int64) -> APIError {
        APIError(
            status: 413, code: "too_large", message: "\(what) is larger than \(ByteSize.format(limit))",
            hint: "send it in parts, or put large data into a mount")
    }

    static let unauthorized = APIError(
        status: 401, code: "unauthorized", message: "a valid token is needed",
        hint: "set SANDPOOL_TOKEN, or SANDPOOL_TOKEN_FILE to a file such as DATA_DIR/admin.token")

    static func forbidden(_ role: TokenRole, _ permission: Permission) -> APIError {
        APIError(
            status: 403, code: "forbidden", message: "a token with the role \(role.rawValue) may not do this",
            hint: "use a token with the role \(permission.leastRole.rawValue)")
    }

    static func unsupportedVersion(_ version: Int) -> APIError {
        APIError(
            status: 426, code: WorkerSession.Refusal.unsupportedVersion.rawValue,
            message: "the worker speaks version \(version) of the session, this coordinator \(WorkerSession.version)",
            hint: "run the same release on both")
    }

    static func foreignWorker(_ id: WorkerID) -> APIError {
        APIError(
            status: 403, code: WorkerSession.Refusal.foreignWorker.rawValue,
            message: "worker \(id) was enrolled with another token",
            hint: "use that token, or let an admin make it a new one with "
                + "'sandpool token create --role worker --worker \(id)'")
    }

    static let shuttingDown = APIError(
        status: 503, code: shuttingDownCode, message: "the coordinator is stopping", hint: "try again shortly")

    /// Any error as the API answers it. What a client cannot help is not shown to it in detail.
    init(any error: any Error) {
        switch error {
        case let error as APIError:
            self = error
        case let problem as SpecProblem:
            self.init(problem)
        case let error as FrameError:
            self.init(status: 400, code: "invalid_frame", message: "\(error)")
        case StoreError.diskFull:
            self = .diskFull
        case let error as FileError where error.isDiskFull:
            self = .diskFull
        case StoreError.foreignWorker(let id):
            self = .foreignWorker(id)
        case StoreError.overloaded:
            self.init(status: 503, code: "overloaded", message: "too much is waiting", hint: "try again shortly")
        case StoreError.closed:
            self = .shuttingDown
        case StoreError.invalid(let detail):
            self.init(status: 422, code: "invalid", message: detail)
        default:
            self.init(
                status: 500, code: "internal", message: "the coordinator failed",
                hint: "look into the coordinator's log")
        }
    }

    private static let diskFull = APIError(
        status: 507, code: "disk_full", message: "the coordinator's disk is full",
        hint: "free disk space there; cancel, drain and reading still work")

    /// The error as a response. A refused upload is not read to its end, so the connection does not go on.
    var response: Response {
        var headers: HTTPFields = [.contentType: "application/json"]
        if status == 401 { headers[.wwwAuthenticate] = "Bearer" }
        let body = (try? WireJSON.encode(ErrorBody(error: self))) ?? ByteBuffer()
        headers[.contentLength] = String(body.readableBytes)
        return Response(status: .init(code: status), headers: headers, body: ResponseBody(byteBuffer: body))
    }
}

extension Permission {
    /// The weakest role that has it.
    fileprivate var leastRole: TokenRole {
        switch self {
        case .none, .read: .read
        case .submit: .submit
        case .admin: .admin
        case .worker: .worker
        }
    }
}

extension Response {
    /// A value as JSON.
    static func json(_ value: some Encodable, status: HTTPResponse.Status = .ok) throws -> Response {
        let body = try WireJSON.encode(value)
        return Response(
            status: status, headers: [.contentType: "application/json", .contentLength: String(body.readableBytes)],
            body: ResponseBody(byteBuffer: body))
    }
}
