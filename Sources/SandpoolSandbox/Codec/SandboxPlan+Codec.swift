extension SandboxPlan {
    /// The first byte of an encoded plan.
    static let codecVersion: UInt8 = 1

    public func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.writeCommand(
            version: Self.codecVersion, id: id, arguments: arguments, environment: environment,
            workingDirectory: workingDirectory, user: user)
        writer.write(hostname)
        switch root {
        case .host: writer.write(UInt8(0))
        case .layers(let layers):
            writer.write(UInt8(1))
            writer.write(layers)
        case .scratch: writer.write(UInt8(2))
        }
        writer.write(mounts) { writer, mount in
            writer.write(mount.layer)
            writer.write(mount.path)
            writer.write(mount.isFile)
        }
        writer.write(limits.memoryBytes)
        writer.write(limits.cpuMillis)
        writer.write(limits.pids)
        writer.write(limits.diskBytes)
        writer.write(limits.outputBytes)
        writer.write(timers.timeoutMs)
        writer.write(timers.graceMs)
        writer.write(timers.idleMs)
        network.write(to: &writer)
        writer.write(capabilities.rawValue)
        writer.write(stdin.rawValue)
        writer.write(downloads)
        writer.write(onOutputLimit.rawValue)
        writer.write(leavesOutLimits)
        return writer.bytes
    }

    public init(decoding bytes: [UInt8]) throws(CodecError) { try self.init(decoding: bytes, withCommand: true) }

    /// - Parameter withCommand: whether arguments and environment are read too; else they are empty.
    init(decoding bytes: [UInt8], withCommand: Bool) throws(CodecError) {
        var reader = ByteReader(bytes)
        let command = try CommandFields(
            from: &reader, version: Self.codecVersion, of: "a sandbox", withCommand: withCommand)
        (id, arguments, environment) = (command.id, command.arguments, command.environment)
        (workingDirectory, user) = (command.workingDirectory, command.user)
        hostname = try reader.readString()
        switch try reader.read(UInt8.self) {
        case 0: root = .host
        case 1: root = .layers(try reader.readStrings())
        case 2: root = .scratch
        case let other: throw CodecError("unknown kind of root \(other)")
        }
        mounts = try reader.readArray { reader throws(CodecError) in
            TreeMount(
                layer: try reader.readString(), path: try reader.readString(), isFile: try reader.readBool())
        }
        limits = Limits(
            memoryBytes: try reader.read(), cpuMillis: try reader.read(), pids: try reader.read(),
            diskBytes: try reader.read(), outputBytes: try reader.read())
        timers = Timers(timeoutMs: try reader.read(), graceMs: try reader.read(), idleMs: try reader.read())
        network = try Network(from: &reader)
        capabilities = try reader.readEnum()
        stdin = try reader.readEnum()
        downloads = try reader.readStrings()
        onOutputLimit = try reader.readEnum()
        leavesOutLimits = try reader.readBool()
        try reader.expectEnd()
    }
}

extension SandboxPlan.Network {
    func write(to writer: inout ByteWriter) {
        switch self {
        case .blocked: writer.write(UInt8(0))
        case .open(let allowCIDRs, let allowDomains, let openedCIDRs):
            writer.write(UInt8(1))
            writer.write(allowCIDRs)
            writer.write(allowDomains)
            writer.write(openedCIDRs)
        }
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        switch try reader.read(UInt8.self) {
        case 0: self = .blocked
        case 1:
            self = .open(
                allowCIDRs: try reader.readStrings(), allowDomains: try reader.readStrings(),
                openedCIDRs: try reader.readStrings())
        case let other: throw CodecError("unknown kind of network \(other)")
        }
    }
}
