/// What the launcher tells the spooler.
enum SpoolerRequest: Equatable {
    /// Descriptors: read ends of stdout and stderr, then the files they go to.
    case open(token: UInt64, id: String, limit: UInt64)
    /// Every writer is gone: take what is left in the pipes and answer `done`.
    case finish(token: UInt64)
    /// Descriptor: where `SpoolProgress` goes from now on.
    case notify

    func encoded() -> [UInt8] {
        var writer = ByteWriter()
        switch self {
        case .open(let token, let id, let limit):
            writer.write(UInt8(1))
            writer.write(token)
            writer.write(id)
            writer.write(limit)
        case .finish(let token):
            writer.write(UInt8(2))
            writer.write(token)
        case .notify: writer.write(UInt8(3))
        }
        return writer.bytes
    }

    init(decoding bytes: [UInt8]) throws(CodecError) {
        var reader = ByteReader(bytes)
        switch try reader.read(UInt8.self) {
        case 1: self = .open(token: try reader.read(), id: try reader.readString(), limit: try reader.read())
        case 2: self = .finish(token: try reader.read())
        case 3: self = .notify
        case let other: throw CodecError("unknown spooler request \(other)")
        }
        try reader.expectEnd()
    }
}

/// The spooler's answer to `finish`: everything that was written is in the files.
struct SpoolerCounts: Equatable {
    var token: UInt64
    var stdoutBytes: UInt64 = 0
    var stderrBytes: UInt64 = 0
    var truncated = false
    var stalledMs: UInt64 = 0
    /// Said at once in place of a `finish`: the spooler could not take the sandbox on.
    var refused = false

    init(token: UInt64) { self.token = token }

    func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.write(token)
        writer.write(stdoutBytes)
        writer.write(stderrBytes)
        writer.write(truncated)
        writer.write(stalledMs)
        writer.write(refused)
        return writer.bytes
    }

    init(decoding bytes: [UInt8]) throws(CodecError) {
        var reader = ByteReader(bytes)
        token = try reader.read()
        stdoutBytes = try reader.read()
        stderrBytes = try reader.read()
        truncated = try reader.readBool()
        stalledMs = try reader.read()
        refused = try reader.readBool()
        try reader.expectEnd()
    }
}
