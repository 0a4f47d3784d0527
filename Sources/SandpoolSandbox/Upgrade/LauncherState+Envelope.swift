import Glibc
import LinuxSystem

/// What is around a state: what it is, of which version, how long and whole.
///
/// The version is raised with every change of what follows it, of what a state means, of the worker's requests, which
/// may wait in it, and of what the launcher has to say to programs that stay what they are: spooler, DNS forwarder and
/// the first process of each sandbox.
extension LauncherState {
    static let version: UInt32 = 1
    /// "sapstate", as it lies in memory.
    private static let magic: UInt64 = 0x6574_6174_7370_6173
    private static let headerBytes = 28
    /// Far above what 4,096 sandboxes take.
    static let limit = 64 << 20

    func encoded() -> [UInt8] {
        var body = ByteWriter()
        write(to: &body)
        var writer = ByteWriter()
        writer.write(Self.magic)
        writer.write(Self.version)
        writer.write(UInt64(body.bytes.count))
        writer.write(Self.sum(body.bytes[...]))
        return writer.bytes + body.bytes
    }

    init(decoding bytes: [UInt8]) throws(CodecError) {
        var numbers: [Descriptor] = []
        try self.init(decoding: bytes, &numbers)
    }

    /// - Parameter descriptors: gets each that the state names, in the order of their numbers.
    init(decoding bytes: [UInt8], _ descriptors: inout [Descriptor]) throws(CodecError) {
        var header = ByteReader(Array(bytes.prefix(Self.headerBytes)))
        guard try header.read(UInt64.self) == Self.magic else { throw CodecError("this is no launcher's state") }
        let version = try header.read(UInt32.self)
        guard version == Self.version else {
            throw CodecError("state version \(version) is not known here, which knows \(Self.version)")
        }
        let count = try header.read(UInt64.self)
        let sum = try header.read(UInt64.self)
        let body = bytes.dropFirst(Self.headerBytes)
        guard count == UInt64(body.count) else { throw CodecError("the state has \(body.count) bytes of \(count)") }
        guard sum == Self.sum(body) else { throw CodecError("the state's check sum does not match") }
        var reader = ByteReader(Array(body))
        self = try LauncherState(from: &reader)
        try reader.expectEnd()
        descriptors = Array(Set(reader.descriptors)).sorted()
    }

    private static func sum(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        var hash = FowlerNollVoHash()
        hash.combine(bytes: bytes)
        return hash.number
    }

    /// In memory that nobody can change any more.
    static func read(_ file: FileDescriptor, _ descriptors: inout [Descriptor]) throws -> LauncherState {
        guard SealedFile.isSealed(file) else { throw CodecError("the state is not sealed") }
        try systemCall("lseek state") { lseek(file.raw, 0, SEEK_SET) }
        return try LauncherState(decoding: try file.readAll(limit: limit), &descriptors)
    }
}
