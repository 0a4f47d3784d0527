extension LauncherEvent {
    public func encoded() -> [UInt8] {
        var writer = ByteWriter()
        switch self {
        case .welcome(let version, let bootID, let hostFingerprint, let makesDisks, let instance):
            writer.write(UInt8(1))
            writer.write(version)
            writer.write(bootID)
            writer.write(hostFingerprint)
            writer.write(makesDisks)
            writer.write(instance)
        case .refused(let message):
            writer.write(UInt8(2))
            writer.write(message)
        case .adopted(let id, let startedBoottimeMs):
            writer.write(UInt8(3))
            writer.write(id)
            writer.write(startedBoottimeMs)
        case .started(let id, let startedBoottimeMs):
            writer.write(UInt8(4))
            writer.write(id)
            writer.write(startedBoottimeMs)
        case .failed(let id, let failure):
            writer.write(UInt8(5))
            writer.write(id)
            failure.write(to: &writer)
        case .exited(let id, let report):
            writer.write(UInt8(6))
            writer.write(id)
            report.write(to: &writer)
        case .layerReady(let layer, let bytes):
            writer.write(UInt8(7))
            writer.write(layer)
            writer.write(bytes)
        case .layerFailed(let layer, let message):
            writer.write(UInt8(8))
            writer.write(layer)
            writer.write(message)
        case .layers(let layers):
            writer.write(UInt8(9))
            writer.write(layers)
        case .starting(let id):
            writer.write(UInt8(10))
            writer.write(id)
        }
        return writer.bytes
    }

    public init(decoding bytes: [UInt8]) throws(CodecError) {
        var reader = ByteReader(bytes)
        switch try reader.read(UInt8.self) {
        case 1:
            self = .welcome(
                version: try reader.read(), bootID: try reader.readString(),
                hostFingerprint: try reader.readString(), makesDisks: try reader.readBool(),
                instance: try reader.readString())
        case 2: self = .refused(message: try reader.readString())
        case 3: self = .adopted(id: try reader.readString(), startedBoottimeMs: try reader.read())
        case 4: self = .started(id: try reader.readString(), startedBoottimeMs: try reader.read())
        case 5: self = .failed(id: try reader.readString(), failure: try SandboxFailure(from: &reader))
        case 6: self = .exited(id: try reader.readString(), report: try ExitReport(from: &reader))
        case 7: self = .layerReady(layer: try reader.readString(), bytes: try reader.read())
        case 8: self = .layerFailed(layer: try reader.readString(), message: try reader.readString())
        case 9: self = .layers(try reader.readStrings())
        case 10: self = .starting(id: try reader.readString())
        case let other: throw CodecError("unknown event \(other)")
        }
        try reader.expectEnd()
    }
}

extension SandboxFailure {
    func write(to writer: inout ByteWriter) {
        writer.write(stage)
        writer.write(UInt32(bitPattern: errno))
        writer.write(message)
        writer.write(kind.rawValue)
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        stage = try reader.readString()
        errno = Int32(bitPattern: try reader.read(UInt32.self))
        message = try reader.readString()
        kind = try reader.readEnum()
    }

    func encoded() -> [UInt8] {
        var writer = ByteWriter()
        write(to: &writer)
        return writer.bytes
    }

    init(decoding bytes: [UInt8]) throws(CodecError) {
        var reader = ByteReader(bytes)
        self = try SandboxFailure(from: &reader)
        try reader.expectEnd()
    }
}

extension SpoolProgress {
    public func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.write(id)
        writer.write(stdoutBytes)
        writer.write(stderrBytes)
        return writer.bytes
    }

    public init(decoding bytes: [UInt8]) throws(CodecError) {
        var reader = ByteReader(bytes)
        id = try reader.readString()
        stdoutBytes = try reader.read()
        stderrBytes = try reader.read()
        try reader.expectEnd()
    }
}
