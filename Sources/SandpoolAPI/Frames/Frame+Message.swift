import NIOCore

extension Frame {
    /// A frame that carries `value` as JSON.
    ///
    /// - Throws: `FrameError.payloadTooLong` when it does not fit into one frame; what cannot be JSON is an
    ///   `EncodingError`.
    public static func message(_ value: some Encodable) throws -> Frame {
        let bytes = try WireJSON.encode(value)
        guard bytes.readableBytes <= payloadLimit else {
            throw FrameError.payloadTooLong(bytes: bytes.readableBytes)
        }
        return .json(bytes)
    }

    /// The message that this frame carries.
    ///
    /// - Throws: `FrameError.notAMessage` for a binary frame, `APIError` for what is not a `Message`.
    public func message<Message: Decodable>(as type: Message.Type = Message.self) throws -> Message {
        guard case .json(let bytes) = self else { throw FrameError.notAMessage }
        return try WireJSON.decode(type, from: bytes)
    }
}
