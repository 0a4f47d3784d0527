/// An error as the API answers it: `{"error": {"code", "message", "hint"}}`.
public struct APIError: Error, Codable, Hashable, Sendable {
    /// A stable word for programs, such as `invalid_spec`, `not_found`, `unauthorized`.
    public var code: String
    /// What is wrong and where, one line.
    public var message: String
    /// What to do about it, one line.
    public var hint: String?
    /// The HTTP status that carries it; not part of the body.
    public var status: Int

    /// The coordinator is stopping, and another one will go on where it stood.
    public static let shuttingDownCode = "shutting_down"

    /// The job has no sandbox yet, and will have one: it waits for a worker.
    public static let notStartedCode = "not_started"

    /// The job's sandbox is being made.
    public static let startingCode = "starting"

    private enum CodingKeys: String, CodingKey { case code, message, hint }

    public init(status: Int, code: String, message: String, hint: String? = nil) {
        self.status = status
        self.code = code
        self.message = message
        self.hint = hint
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        code = try container.decode(String.self, forKey: .code)
        message = try container.decode(String.self, forKey: .message)
        hint = try container.decodeIfPresent(String.self, forKey: .hint)
        status = 0
    }
}

/// The body of an error answer.
public struct ErrorBody: Codable, Hashable, Sendable {
    public var error: APIError

    public init(error: APIError) { self.error = error }
}
