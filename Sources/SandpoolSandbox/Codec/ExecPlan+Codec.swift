extension ExecPlan {
    /// The first byte of an encoded plan.
    static let codecVersion: UInt8 = 1

    public func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.write(Self.codecVersion)
        writer.write(id)
        writer.write(arguments)
        writer.write(environment)
        writer.write(workingDirectory)
        writer.write(user)
        writer.write(stdin.rawValue)
        writer.write(timeoutMs)
        writer.write(graceMs)
        writer.write(outputBytes)
        return writer.bytes
    }

    public init(decoding bytes: [UInt8]) throws(CodecError) { try self.init(decoding: bytes, withCommand: true) }

    /// - Parameter withCommand: whether arguments and environment are read too; else they are empty.
    init(decoding bytes: [UInt8], withCommand: Bool) throws(CodecError) {
        var reader = ByteReader(bytes)
        let version = try reader.read(UInt8.self)
        guard version == Self.codecVersion else {
            throw CodecError("a plan of an exec of version \(version) is not known here")
        }
        id = try reader.readString()
        if withCommand {
            arguments = try reader.readStrings()
            environment = try reader.readStrings()
        } else {
            arguments = []
            environment = []
            for _ in 0..<2 { try reader.skipStrings() }
        }
        workingDirectory = try reader.readString()
        user = try reader.readString()
        stdin = try reader.readEnum()
        timeoutMs = try reader.read()
        graceMs = try reader.read()
        outputBytes = try reader.read()
        try reader.expectEnd()
    }
}
