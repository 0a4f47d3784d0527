import Crypto
import Glibc
import LinuxSystem
import SandpoolProbes

/// The layer that probes run from: the probe program and its bait, as a tar archive.
struct ProbeArchive {
    static let directory = "/opt/sandpool-probe"
    static let program = "\(directory)/sandpool-probe"
    static let setUIDProgram = "\(directory)/user-id"

    private static let programLimit = 64 << 20
    private let files: [TarEntry]

    /// - Parameter path: the probe program on this host.
    init(program path: String) throws(SystemError) {
        let program = try FileDescriptor.open(path, O_RDONLY).readAll(limit: Self.programLimit)
        let bait = UserIDProgram.bytes.map { [TarEntry("user-id", $0, mode: 0o4755)] } ?? []
        files = [TarEntry("sandpool-probe", program, mode: 0o755)] + bait
    }

    /// Named by its content, so that it is unpacked once.
    var layer: String {
        var hash = SHA256()
        for file in files { hash.update(data: file.content) }
        return "probe-" + hash.finalize().prefix(20).hexadecimal
    }

    func file() throws(SystemError) -> FileDescriptor {
        try SealedFile.make(TarEntry.archive(files), name: "probe")
    }
}
