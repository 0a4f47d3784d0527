import SandpoolAPI
import SandpoolModel

/// Any failure of Sandpool itself, as one line for people and one word for programs.
///
/// A command that fails is no error: its code is a value, `Sandbox.returnCode`.
public struct SandpoolError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A stable word, such as `unreachable`, `unauthorized`, `not_found`, `invalid_spec`.
    public var code: String
    /// What is wrong and where, one line.
    public var message: String
    /// What to do about it, one line.
    public var hint: String?
    /// The HTTP status of the answer, where the coordinator gave one.
    public var status: Int?

    public init(code: String, message: String, hint: String? = nil, status: Int? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
        self.status = status
    }

    init(_ error: APIError, status: Int? = nil) {
        self.init(
            code: error.code, message: error.message, hint: error.hint,
            status: status ?? (error.status == 0 ? nil : error.status))
    }

    /// `message; hint`, without a line break.
    public var description: String { hint.map { "\(message); \($0)" } ?? message }
}

extension SandpoolError {
    /// The stream or connection ended before the answer did. What was asked for may or may not have happened.
    static func disconnected(_ endpoint: Endpoint) -> SandpoolError {
        SandpoolError(
            code: codeDisconnected, message: "the connection to \(endpoint) was lost",
            hint: "check that the coordinator is still running")
    }

    /// The coordinator took a request, and its answer does not begin.
    static func silent(_ endpoint: Endpoint, seconds: Int64) -> SandpoolError {
        SandpoolError(
            code: codeDisconnected, message: "\(endpoint) did not answer within \(seconds) s",
            hint: "check the coordinator's log and its disk")
    }

    /// The coordinator did not come back within the client's patience, and the job is followed no longer.
    static func left(_ job: JobID, after error: SandpoolError) -> SandpoolError {
        SandpoolError(
            code: error.code, message: "\(error.message); gave up following \(job)",
            hint: "when the coordinator is back: sandpool logs -f \(job), or sandpool wait \(job)")
    }

    /// A token was sent, and the coordinator says no more of it than of none.
    static func unknownToken(_ endpoint: Endpoint, _ error: APIError) -> SandpoolError {
        SandpoolError(
            code: error.code, message: "the coordinator at \(endpoint) does not know this token, or it was revoked",
            hint: error.hint, status: 401)
    }

    /// The answer is not what this version understands.
    static func unreadable(_ endpoint: Endpoint) -> SandpoolError {
        SandpoolError(
            code: "bad_answer", message: "an answer of \(endpoint) could not be read",
            hint: "client and coordinator may be of different versions")
    }

    /// The coordinator would refuse it, and cut the connection while it still arrives.
    static func tooLarge(_ bytes: Int) -> SandpoolError {
        SandpoolError(
            code: "too_large",
            message: "the request has \(bytes) bytes, more than \(ByteSize.format(Int64(Routes.bodyLimit)))",
            hint: "pass large data by standard input or in a mount")
    }

    static let codeDisconnected = "disconnected"
    static let codeUnreachable = "unreachable"

    /// Whether asking the same again later can help: the coordinator is away or restarting.
    var isConnectionLoss: Bool {
        // Inside a stream no status says that the coordinator is stopping.
        code == Self.codeDisconnected || code == Self.codeUnreachable || code == APIError.shuttingDownCode
            || status == 502 || status == 503
    }
}
