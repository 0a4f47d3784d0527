extension ExitReport {
    func write(to writer: inout ByteWriter) {
        end.write(to: &writer)
        writer.write(reason.rawValue)
        for number in [oomKills, cpuMs, wallMs, peakMemoryBytes, stdoutBytes, stderrBytes] { writer.write(number) }
        writer.write(outputTruncated)
        for number in [stalledMs, diskBytes, inodes] { writer.write(number) }
        writer.write(diskFull)
        writer.write(setupMicros)
        writer.write(downloadMessage)
        writer.write(changedMounts)
        writer.write(leftOutLimits)
        writer.write(writableLayer.rawValue)
        writer.write(inodesFull)
        writer.write(networkInterruptions)
        writer.write(networkLost)
        writer.write(hostDiskFull)
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        self.init(
            end: try End(from: &reader), reason: try reader.readEnum(), oomKills: try reader.read(),
            cpuMs: try reader.read(), wallMs: try reader.read(), peakMemoryBytes: try reader.read(),
            stdoutBytes: try reader.read(), stderrBytes: try reader.read(),
            outputTruncated: try reader.readBool(), stalledMs: try reader.read(),
            diskBytes: try reader.read(), inodes: try reader.read(), diskFull: try reader.readBool(),
            setupMicros: try reader.read(), downloadMessage: try reader.readString(),
            changedMounts: try reader.read(), leftOutLimits: try reader.readBool(),
            writableLayer: try reader.readEnum(), inodesFull: try reader.readBool(),
            networkInterruptions: try reader.read(), networkLost: try reader.readBool(),
            hostDiskFull: try reader.readBool())
    }
}

extension ExitReport.End {
    func write(to writer: inout ByteWriter) {
        switch self {
        case .exited(let code):
            writer.write(UInt8(0))
            writer.write(code)
        case .signaled(let signal):
            writer.write(UInt8(1))
            writer.write(signal)
        case .killed:
            writer.write(UInt8(2))
            writer.write(UInt8(0))
        }
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        let kind = try reader.read(UInt8.self)
        let number = try reader.read(UInt8.self)
        switch kind {
        case 0: self = .exited(code: number)
        case 1: self = .signaled(signal: number)
        case 2 where number == 0: self = .killed
        case 2: throw CodecError("a killed sandbox has no number \(number)")
        default: throw CodecError("unknown kind of end \(kind)")
        }
    }
}
