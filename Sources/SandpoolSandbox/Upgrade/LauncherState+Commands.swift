extension LauncherState.CommandState {
    func write(to writer: inout ByteWriter) {
        for number in [token, requestedMicros, startedMs, setupMicros] { writer.write(number) }
        phase.write(to: &writer)
        writer.write(reason.rawValue)
        writer.write(optional: killAtMs) { $0.write($1) }
        writer.write(optional: outputFailure) { $1.write(to: &$0) }
        writer.write(descriptor: standardOutput)
        writer.write(descriptor: standardError)
        writer.write(optional: standardInput) { writer, input in
            writer.write(descriptor: input.pipe)
            writer.write(descriptor: input.waiting)
        }
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        token = try reader.read()
        requestedMicros = try reader.read()
        startedMs = try reader.read()
        setupMicros = try reader.read()
        phase = try LauncherState.Phase(from: &reader)
        reason = try reader.readEnum()
        killAtMs = try reader.readOptional { reader throws(CodecError) in try reader.read() }
        outputFailure = try reader.readOptional { reader throws(CodecError) in try SandboxFailure(from: &reader) }
        standardOutput = try reader.readDescriptor()
        standardError = try reader.readDescriptor()
        standardInput = try reader.readOptional { reader throws(CodecError) in
            Input(pipe: try reader.readDescriptor(), waiting: try reader.readDescriptor())
        }
    }
}

extension LauncherState.Phase {
    func write(to writer: inout ByteWriter) {
        switch self {
        case .running: writer.write(UInt8(0))
        case .draining(let report):
            writer.write(UInt8(1))
            report.write(to: &writer)
        case .ended(let report):
            writer.write(UInt8(2))
            report.write(to: &writer)
        case .failed(let failure):
            writer.write(UInt8(3))
            failure.write(to: &writer)
        }
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        switch try reader.read(UInt8.self) {
        case 0: self = .running
        case 1: self = .draining(try ExitReport(from: &reader))
        case 2: self = .ended(try ExitReport(from: &reader))
        case 3: self = .failed(try SandboxFailure(from: &reader))
        case let other: throw CodecError("unknown phase \(other)")
        }
    }
}

extension LauncherState.SandboxState {
    func write(to writer: inout ByteWriter) {
        writer.write(plan.encoded()) { $0.write($1) }
        command.write(to: &writer)
        writer.write(isListed)
        writer.write(isKilled)
        writer.write(memorySearch.noticed)
        writer.write(UInt32(clamping: memorySearch.looksLeft))
        writer.write(memorySearch.isUnderWay)
        writer.write(optional: downloadSink) { $0.write(descriptor: $1) }
        writer.write(optional: resources) { $1.write(to: &$0) }
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        plan = try SandboxPlan(
            decoding: try reader.readArray { reader throws(CodecError) in try reader.read() })
        command = try LauncherState.CommandState(from: &reader)
        isListed = try reader.readBool()
        isKilled = try reader.readBool()
        memorySearch = MemorySearch(
            noticed: try reader.read(), looksLeft: Int(try reader.read(UInt32.self)),
            isUnderWay: try reader.readBool())
        downloadSink = try reader.readOptional { reader throws(CodecError) in try reader.readDescriptor() }
        resources = try reader.readOptional { reader throws(CodecError) in try Resources(from: &reader) }
        guard (resources != nil) == (command.phase == .running) else {
            throw CodecError("sandbox \(plan.id) is not what it says")
        }
    }
}

extension LauncherState.SandboxState.Resources {
    func write(to writer: inout ByteWriter) {
        writer.write(slot)
        writer.write(cgroup.hasMain)
        writer.write(cgroup.hasHadChildren)
        writer.write(cgroup.isDivided)
        writer.write(optional: cgroup.oomNotice) { $0.write(descriptor: $1) }
        writable.write(to: &writer)
        writer.write(descriptor: namespace)
        writer.write(networkToken)
        first.write(to: &writer)
        for number in [go, failure, status] { writer.write(descriptor: number) }
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        slot = try reader.read()
        cgroup = LauncherState.CgroupState(
            hasMain: try reader.readBool(), hasHadChildren: try reader.readBool(), isDivided: try reader.readBool(),
            oomNotice: try reader.readOptional { reader throws(CodecError) in try reader.readDescriptor() })
        writable = try LauncherState.WritableState(from: &reader)
        namespace = try reader.readDescriptor()
        networkToken = try reader.read()
        first = try LauncherState.Process(from: &reader)
        go = try reader.readDescriptor()
        failure = try reader.readDescriptor()
        status = try reader.readDescriptor()
    }
}

extension LauncherState.WritableState {
    func write(to writer: inout ByteWriter) {
        writer.write(descriptor: mount)
        switch disk {
        case .none: writer.write(UInt8(0))
        case .image(let bytes, let file):
            writer.write(UInt8(1))
            writer.write(bytes)
            writer.write(descriptor: file)
        case .project(let id, let bytes, let inodes):
            writer.write(UInt8(2))
            writer.write(id)
            writer.write(bytes)
            writer.write(inodes)
        }
        writer.write(bytesAtFirst)
        writer.write(inodesAtFirst)
        writer.write(isAttached)
        writer.write(copies) { writer, copy in
            writer.write(copy.name)
            for number in [copy.size, copy.seconds, copy.nanoseconds] { writer.write(number) }
        }
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        mount = try reader.readDescriptor()
        switch try reader.read(UInt8.self) {
        case 0: disk = .none
        case 1: disk = .image(bytes: try reader.read(), file: try reader.readDescriptor())
        case 2: disk = .project(id: try reader.read(), bytes: try reader.read(), inodes: try reader.read())
        case let other: throw CodecError("unknown kind of disk \(other)")
        }
        bytesAtFirst = try reader.read()
        inodesAtFirst = try reader.read()
        isAttached = try reader.readBool()
        copies = try reader.readArray { reader throws(CodecError) in
            Copy(
                name: try reader.readString(), size: try reader.read(), seconds: try reader.read(),
                nanoseconds: try reader.read())
        }
    }
}

extension LauncherState.ExecState {
    func write(to writer: inout ByteWriter) {
        writer.write(plan.encoded()) { $0.write($1) }
        writer.write(sandbox)
        command.write(to: &writer)
        writer.write(isForgotten)
        writer.write(isKilled)
        writer.write(isOutOfMemory)
        writer.write(optional: processes) { writer, processes in
            processes.command.write(to: &writer)
            writer.write(descriptor: processes.failure)
        }
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        plan = try ExecPlan(
            decoding: try reader.readArray { reader throws(CodecError) in try reader.read() })
        sandbox = try reader.read()
        command = try LauncherState.CommandState(from: &reader)
        isForgotten = try reader.readBool()
        isKilled = try reader.readBool()
        isOutOfMemory = try reader.readBool()
        processes = try reader.readOptional { reader throws(CodecError) in
            Processes(command: try LauncherState.Process(from: &reader), failure: try reader.readDescriptor())
        }
        guard (processes != nil) == (command.phase == .running) else {
            throw CodecError("command \(plan.id) is not what it says")
        }
    }
}
