/// What the launcher tells the spooler.
enum SpoolerRequest: Equatable {
    /// Descriptors: read ends of stdout and stderr, then the files they go to. `sandbox` is the token of the sandbox's
    /// main command, `cpuMillis` what the sandbox has of a processor, in thousandths, `backlog` that of a `SpoolRing`,
    /// or 0 where all of the output is kept.
    case open(token: UInt64, id: String, limit: UInt64, sandbox: UInt64, cpuMillis: UInt32, backlog: UInt64)
    /// The command's processes are gone: take what is left in the pipes and answer `finished`.
    case finish(token: UInt64)
    /// Descriptor: where `SpoolProgress` goes from now on.
    case notify
    /// No more progress of this one: the worker that asked for it is gone.
    case mute(token: UInt64)

    func encoded() -> [UInt8] {
        var writer = ByteWriter()
        switch self {
        case .open(let token, let id, let limit, let sandbox, let cpuMillis, let backlog):
            writer.write(UInt8(1))
            writer.write(token)
            writer.write(id)
            writer.write(limit)
            writer.write(sandbox)
            writer.write(cpuMillis)
            writer.write(backlog)
        case .finish(let token):
            writer.write(UInt8(2))
            writer.write(token)
        case .notify: writer.write(UInt8(3))
        case .mute(let token):
            writer.write(UInt8(4))
            writer.write(token)
        }
        return writer.bytes
    }

    init(decoding bytes: [UInt8]) throws(CodecError) {
        var reader = ByteReader(bytes)
        switch try reader.read(UInt8.self) {
        case 1:
            self = .open(
                token: try reader.read(), id: try reader.readString(), limit: try reader.read(),
                sandbox: try reader.read(), cpuMillis: try reader.read(), backlog: try reader.read())
        case 2: self = .finish(token: try reader.read())
        case 3: self = .notify
        case 4: self = .mute(token: try reader.read())
        case let other: throw CodecError("unknown spooler request \(other)")
        }
        try reader.expectEnd()
    }
}

/// What the spooler tells the launcher.
enum SpoolerAnswer: Equatable {
    /// To `finish`: everything that was written is in the files.
    case finished(SpoolerCounts)
    /// At once: the spooler could not take the sandbox on.
    case refused(token: UInt64)
    /// At once, and once for each sandbox: a stream has more output than its limit.
    case limitReached(token: UInt64)

    func encoded() -> [UInt8] {
        var writer = ByteWriter()
        switch self {
        case .finished(let counts):
            writer.write(UInt8(1))
            counts.write(to: &writer)
        case .refused(let token):
            writer.write(UInt8(2))
            writer.write(token)
        case .limitReached(let token):
            writer.write(UInt8(3))
            writer.write(token)
        }
        return writer.bytes
    }

    init(decoding bytes: [UInt8]) throws(CodecError) {
        var reader = ByteReader(bytes)
        switch try reader.read(UInt8.self) {
        case 1: self = .finished(try SpoolerCounts(from: &reader))
        case 2: self = .refused(token: try reader.read())
        case 3: self = .limitReached(token: try reader.read())
        case let other: throw CodecError("unknown spooler answer \(other)")
        }
        try reader.expectEnd()
    }
}

/// What came of a sandbox's output.
struct SpoolerCounts: Equatable {
    var token: UInt64
    var stdoutBytes: UInt64 = 0
    var stderrBytes: UInt64 = 0
    var truncated = false
    var stalledMs: UInt64 = 0

    init(token: UInt64) { self.token = token }

    func write(to writer: inout ByteWriter) {
        writer.write(token)
        writer.write(stdoutBytes)
        writer.write(stderrBytes)
        writer.write(truncated)
        writer.write(stalledMs)
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        token = try reader.read()
        stdoutBytes = try reader.read()
        stderrBytes = try reader.read()
        truncated = try reader.readBool()
        stalledMs = try reader.read()
    }
}
