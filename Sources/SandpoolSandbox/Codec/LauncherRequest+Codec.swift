extension LauncherRequest {
    public func encoded() -> [UInt8] {
        var writer = ByteWriter()
        switch self {
        case .hello(let version):
            writer.write(UInt8(1))
            writer.write(version)
        case .start(let id):
            writer.write(UInt8(2))
            writer.write(id)
        case .signal(let id, let signal):
            writer.write(UInt8(3))
            writer.write(id)
            writer.write(signal)
        case .closeInput(let id):
            writer.write(UInt8(4))
            writer.write(id)
        case .cancel(let id, let graceMs):
            writer.write(UInt8(5))
            writer.write(id)
            writer.write(graceMs)
        case .release(let id):
            writer.write(UInt8(6))
            writer.write(id)
        case .importLayer(let layer):
            writer.write(UInt8(7))
            writer.write(layer)
        case .removeLayer(let layer):
            writer.write(UInt8(8))
            writer.write(layer)
        case .listLayers:
            writer.write(UInt8(9))
        case .dismiss:
            writer.write(UInt8(10))
        case .exec(let id, let sandbox):
            writer.write(UInt8(11))
            writer.write(id)
            writer.write(sandbox)
        }
        return writer.bytes
    }

    public init(decoding bytes: [UInt8]) throws(CodecError) {
        var reader = ByteReader(bytes)
        switch try reader.read(UInt8.self) {
        case 1: self = .hello(version: try reader.read())
        case 2: self = .start(id: try reader.readString())
        case 3: self = .signal(id: try reader.readString(), signal: try reader.read())
        case 4: self = .closeInput(id: try reader.readString())
        case 5: self = .cancel(id: try reader.readString(), graceMs: try reader.read())
        case 6: self = .release(id: try reader.readString())
        case 7: self = .importLayer(layer: try reader.readString())
        case 8: self = .removeLayer(layer: try reader.readString())
        case 9: self = .listLayers
        case 10: self = .dismiss
        case 11: self = .exec(id: try reader.readString(), sandbox: try reader.readString())
        case let other: throw CodecError("unknown request \(other)")
        }
        try reader.expectEnd()
    }
}
