extension Frame {
    /// The version of the session that a `hello` or a `welcome` names; `nil` for anything else.
    ///
    /// Read apart from the message, because one of another version may look different in all its other fields.
    public var openingVersion: Int? { try? message(as: OpeningVersion.self).version }
}

private struct OpeningVersion: Decodable {
    let version: Int

    private enum Kind: String, CodingKey { case hello, welcome }
    /// How Swift names the value of an enumeration's case without a label (SE-0295).
    private enum Payload: String, CodingKey { case value = "_0" }
    private enum Field: String, CodingKey { case version }

    init(from decoder: any Decoder) throws {
        let message = try decoder.container(keyedBy: Kind.self)
        let payload = try message.nestedContainer(
            keyedBy: Payload.self, forKey: message.contains(.hello) ? .hello : .welcome)
        version = try payload.nestedContainer(keyedBy: Field.self, forKey: .value).decode(Int.self, forKey: .version)
    }
}
