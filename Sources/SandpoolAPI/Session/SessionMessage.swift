import SandpoolModel

/// A message of a stream, with what has to hold for it beyond its JSON types.
public protocol SessionMessage: Codable, Sendable {
    /// - Throws: an `APIError` in one line that names the field and what is wrong with it.
    func check() throws(APIError)
}

extension Frame {
    /// The message that this frame carries, checked.
    ///
    /// - Throws: `FrameError.notAMessage` for a binary frame, `APIError` for what is not a `Message` or out of bounds.
    public func checkedMessage<Message: SessionMessage>(as type: Message.Type = Message.self) throws -> Message {
        let message = try message(as: type)
        try message.check()
        return message
    }
}

extension APIError {
    /// Refuses a message of which `condition` does not hold.
    static func require(
        _ condition: Bool, _ field: @autoclosure () -> String, _ problem: @autoclosure () -> String
    ) throws(APIError) {
        guard condition else {
            throw APIError(status: 400, code: "invalid_message", message: "\(field()): \(problem())")
        }
    }

    /// Refuses a list of more than `limit` elements.
    static func require(
        atMost limit: Int = SessionLimits.attempts, _ elements: some Collection, in field: String
    ) throws(APIError) {
        try require(elements.count <= limit, field, "\(elements.count) elements, more than \(limit)")
    }

    /// Refuses an offset from which a stream cannot go on.
    static func require(offset: Int64, in field: String) throws(APIError) {
        try require((0...SessionLimits.offset).contains(offset), field, "\(offset) is no offset")
    }

    /// Refuses a text of more than `limit` bytes.
    static func require(_ text: String?, atMost limit: Int, in field: String) throws(APIError) {
        let count = text?.utf8.count ?? 0
        try require(count <= limit, field, "\(count) bytes, more than \(limit)")
    }
}

extension AttemptLease {
    func check(in field: String) throws(APIError) {
        try APIError.require(epoch >= 0, field, "\(attempt) has the epoch \(epoch)")
    }
}

extension HeldAttempt {
    func check(in field: String) throws(APIError) {
        try lease.check(in: field)
        try APIError.require(offset: stdoutBytes, in: "\(field).stdoutBytes")
        try APIError.require(offset: stderrBytes, in: "\(field).stderrBytes")
    }
}
