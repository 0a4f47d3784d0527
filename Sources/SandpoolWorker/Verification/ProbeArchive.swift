import Crypto
import Glibc
import LinuxSystem
import SandpoolProbes

/// The layer that probes run from: the probe program and its bait, as a tar archive (ustar, pax(1)).
struct ProbeArchive {
    static let directory = "/opt/sandpool-probe"
    static let program = "\(directory)/sandpool-probe"
    static let setUIDProgram = "\(directory)/user-id"

    private static let programLimit = 64 << 20
    private let files: [(name: String, bytes: [UInt8], mode: Int)]

    /// - Parameter path: the probe program on this host.
    init(program path: String) throws(SystemError) {
        let program = try FileDescriptor.open(path, O_RDONLY).readAll(limit: Self.programLimit)
        let bait = UserIDProgram.bytes.map { [("user-id", $0, 0o4755)] } ?? []
        files = [("sandpool-probe", program, 0o755)] + bait
    }

    /// Named by its content, so that it is unpacked once.
    var layer: String {
        var hash = SHA256()
        for file in files { hash.update(data: file.bytes) }
        return "probe-"
            + hash.finalize().prefix(20).map { byte in
                let digits = String(byte, radix: 16)
                return digits.count == 1 ? "0" + digits : digits
            }.joined()
    }

    func file() throws(SystemError) -> FileDescriptor {
        var bytes: [UInt8] = []
        for file in files { bytes += Self.entry(file.name, file.bytes, mode: file.mode) }
        return try SealedFile.make(bytes + [UInt8](repeating: 0, count: 1_024), name: "probe")
    }

    private static func entry(_ name: String, _ content: [UInt8], mode: Int) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at offset: Int) {
            header.replaceSubrange(offset..<offset + text.utf8.count, with: text.utf8)
        }
        func octal(_ value: Int, _ width: Int) -> String {
            let digits = String(value, radix: 8)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        put(name, at: 0)
        put(octal(mode, 7), at: 100)
        for (offset, value, width) in [(108, 0, 7), (116, 0, 7), (124, content.count, 11), (136, 0, 11)] {
            put(octal(value, width), at: offset)
        }
        put("        ", at: 148)
        put("0", at: 156)
        put("ustar", at: 257)
        put("00", at: 263)
        put(octal(header.reduce(0) { $0 + Int($1) }, 6) + "\0", at: 148)
        return header + content + [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
    }
}
