extension LauncherState {
    func write(to writer: inout ByteWriter) {
        writer.write(upgrades)
        writer.write(lastToken)
        writer.write(descriptor: lock)
        spooler.write(to: &writer)
        writer.write(descriptor: spoolerSocket)
        cgroups.write(to: &writer)
        for text in [skeleton.fingerprint, skeleton.hostName, skeleton.scratchName] { writer.write(text) }
        writer.write(descriptor: seed)
        writer.write(slots) { writer, slot in
            writer.write(slot.index)
            writer.write(slot.attached) { writer, lower in
                writer.write(lower.name)
                writer.write(lower.place)
            }
            writer.write(slot.freePlaces) { $0.write($1) }
        }
        writer.write(freeSlots) { $0.write($1) }
        writer.write(layerRemovals)
        writer.write(unattended) { $0.write($1) }
        writer.write(optional: network) { $1.write(to: &$0) }
        writer.write(sandboxes) { $1.write(to: &$0) }
        writer.write(execs) { $1.write(to: &$0) }
        service.write(to: &writer)
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        upgrades = try reader.read()
        lastToken = try reader.read()
        lock = try reader.readDescriptor()
        spooler = try Process(from: &reader)
        spoolerSocket = try reader.readDescriptor()
        cgroups = try CgroupPlacement(from: &reader)
        skeleton = Skeleton(
            fingerprint: try reader.readString(), hostName: try reader.readString(),
            scratchName: try reader.readString())
        seed = try reader.readDescriptor()
        slots = try reader.readArray { reader throws(CodecError) in
            SlotState(
                index: try reader.read(),
                attached: try reader.readArray { reader throws(CodecError) in
                    SlotState.Lower(name: try reader.readString(), place: try reader.read())
                }, freePlaces: try reader.readArray { reader throws(CodecError) in try reader.read() })
        }
        freeSlots = try reader.readArray { reader throws(CodecError) in try reader.read() }
        layerRemovals = try reader.read()
        unattended = try reader.readArray { reader throws(CodecError) in try reader.read() }
        network = try reader.readOptional { reader throws(CodecError) in try NetworkState(from: &reader) }
        sandboxes = try reader.readArray { reader throws(CodecError) in try SandboxState(from: &reader) }
        execs = try reader.readArray { reader throws(CodecError) in try ExecState(from: &reader) }
        service = try ServiceState(from: &reader)
    }
}

extension LauncherState.Process {
    func write(to writer: inout ByteWriter) {
        writer.write(pid)
        writer.write(descriptor: descriptor)
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        pid = try reader.read()
        guard pid > 1, pid <= UInt32(Int32.max) else { throw CodecError("\(pid) is no child's number") }
        descriptor = try reader.readDescriptor()
    }
}

extension CgroupPlacement {
    func write(to writer: inout ByteWriter) {
        switch self {
        case .versionOne(let memory, let pids, let cpu, let unified):
            writer.write(UInt8(0))
            for path in [memory, pids, cpu] { writer.write(path) }
            writer.write(optional: unified) { $0.write($1) }
        case .delegated(let parent):
            writer.write(UInt8(1))
            writer.write(parent)
        case .root(let mount):
            writer.write(UInt8(2))
            writer.write(mount)
        }
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        switch try reader.read(UInt8.self) {
        case 0:
            self = .versionOne(
                memory: try reader.readString(), pids: try reader.readString(), cpu: try reader.readString(),
                unified: try reader.readOptional { reader throws(CodecError) in try reader.readString() })
        case 1: self = .delegated(parent: try reader.readString())
        case 2: self = .root(mount: try reader.readString())
        case let other: throw CodecError("unknown place of cgroups \(other)")
        }
    }
}

extension LauncherState.ServiceState {
    func write(to writer: inout ByteWriter) {
        writer.write(instance)
        writer.write(descriptor: listener)
        writer.write(isDismissed)
        writer.write(optional: worker) { writer, worker in
            writer.write(descriptor: worker.socket)
            writer.write(optional: worker.version) { $0.write($1) }
        }
        writer.write(held) { writer, request in
            writer.write(request.bytes) { $0.write($1) }
            writer.write(request.descriptors) { $0.write(descriptor: $1) }
        }
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        instance = try reader.readString()
        listener = try reader.readDescriptor()
        isDismissed = try reader.readBool()
        worker = try reader.readOptional { reader throws(CodecError) in
            Worker(
                socket: try reader.readDescriptor(),
                version: try reader.readOptional { reader throws(CodecError) in try reader.read() })
        }
        held = try reader.readArray { reader throws(CodecError) in
            Request(
                bytes: try reader.readArray { reader throws(CodecError) in try reader.read() },
                descriptors: try reader.readArray { reader throws(CodecError) in try reader.readDescriptor() })
        }
    }
}

extension LauncherState.NetworkState {
    func write(to writer: inout ByteWriter) {
        writer.write(plan)
        writer.write(descriptor: datagram)
        writer.write(descriptor: stream)
        writer.write(usedSlots)
        writer.write(lastToken)
        writer.write(optional: forwarder) { writer, forwarder in
            forwarder.process.write(to: &writer)
            writer.write(descriptor: forwarder.control)
        }
        writer.write(sandboxes) { writer, sandbox in
            writer.write(sandbox.token)
            writer.write(sandbox.slot)
            writer.write(descriptor: sandbox.namespace)
            writer.write(descriptor: sandbox.netfilter)
            sandbox.policy.write(to: &writer)
        }
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        plan = try reader.read()
        datagram = try reader.readDescriptor()
        stream = try reader.readDescriptor()
        usedSlots = try reader.read()
        lastToken = try reader.read()
        forwarder = try reader.readOptional { reader throws(CodecError) in
            Forwarder(process: try LauncherState.Process(from: &reader), control: try reader.readDescriptor())
        }
        sandboxes = try reader.readArray { reader throws(CodecError) in
            OpenSandbox(
                token: try reader.read(), slot: try reader.read(), namespace: try reader.readDescriptor(),
                netfilter: try reader.readDescriptor(), policy: try SandboxPlan.Network(from: &reader))
        }
        guard plan < UInt32(AddressPlan.candidates.count), usedSlots <= UInt32(AddressPlan.slotCount),
            sandboxes.allSatisfy({ $0.slot < usedSlots })
        else { throw CodecError("there is no network of such numbers") }
    }
}
