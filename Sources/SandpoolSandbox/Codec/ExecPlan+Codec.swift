extension ExecPlan {
    /// The first byte of an encoded plan.
    static let codecVersion: UInt8 = 2

    public func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.writeCommand(
            version: Self.codecVersion, id: id, arguments: arguments, environment: environment,
            workingDirectory: workingDirectory, user: user)
        writer.write(stdin.rawValue)
        writer.write(timeoutMs)
        writer.write(graceMs)
        writer.write(outputBytes)
        writer.write(backlogBytes)
        return writer.bytes
    }

    public init(decoding bytes: [UInt8]) throws(CodecError) { try self.init(decoding: bytes, withCommand: true) }

    /// - Parameter withCommand: whether arguments and environment are read too; else they are empty.
    init(decoding bytes: [UInt8], withCommand: Bool) throws(CodecError) {
        var reader = ByteReader(bytes)
        let command = try CommandFields(
            from: &reader, version: Self.codecVersion, of: "a further command", withCommand: withCommand)
        (id, arguments, environment) = (command.id, command.arguments, command.environment)
        (workingDirectory, user) = (command.workingDirectory, command.user)
        stdin = try reader.readEnum()
        timeoutMs = try reader.read()
        graceMs = try reader.read()
        outputBytes = try reader.read()
        backlogBytes = try reader.read()
        try reader.expectEnd()
    }
}
