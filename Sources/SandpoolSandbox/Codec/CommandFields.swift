/// What the plans of a sandbox and of a further command begin with.
extension ByteWriter {
    mutating func writeCommand(
        version: UInt8, id: String, arguments: [String], environment: [String], workingDirectory: String, user: String
    ) {
        write(version)
        write(id)
        write(arguments)
        write(environment)
        write(workingDirectory)
        write(user)
    }
}

/// What `writeCommand` wrote.
struct CommandFields {
    let id: String
    let arguments: [String]
    let environment: [String]
    let workingDirectory: String
    let user: String

    /// - Parameters:
    ///   - version: the only one that is known.
    ///   - what: names the plan in the error.
    ///   - withCommand: whether arguments and environment are read too; else they are empty.
    init(
        from reader: inout ByteReader, version: UInt8, of what: String, withCommand: Bool
    ) throws(CodecError) {
        let found = try reader.read(UInt8.self)
        guard found == version else { throw CodecError("a plan of \(what) of version \(found) is not known here") }
        id = try reader.readString()
        if withCommand {
            arguments = try reader.readStrings()
            environment = try reader.readStrings()
        } else {
            (arguments, environment) = ([], [])
            for _ in 0..<2 { try reader.skipStrings() }
        }
        workingDirectory = try reader.readString()
        user = try reader.readString()
    }
}
