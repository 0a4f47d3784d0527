import Glibc
import NIOCore
import SandpoolModel

/// The coordinator's directory: one process at a time, one format version.
///
/// The lock is flock(2) on `lock`, which the kernel drops with the process, so a crash leaves nothing behind.
final class DataDirectory: DataPaths {
    let path: String
    private let lock: PosixFile

    /// The format that this program writes. A higher number in `version` means a newer program was here.
    static let version = 1

    init(path: String) throws(CoordinatorError) {
        self.path = path
        do throws(FileError) {
            try Self.makePath(path)
            lock = try PosixFile(path: "\(path)/lock", flags: O_RDWR | O_CREAT)
        } catch {
            throw CoordinatorError("\(error); run as the directory's owner or choose another --data-dir")
        }
        guard flock(lock.descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw CoordinatorError(
                "\(path) is in use by another coordinator; stop that one or choose another --data-dir")
        }
        try Self.checkVersion(directory: path)
        do throws(FileError) {
            for part in [output, blobs] { try PosixFile.makeDirectory(part) }
        } catch {
            throw CoordinatorError("\(error); check the disk and the directory's owner")
        }
    }

    /// `mkdir -p`, the last part private. Those above it let others pass: the worker's directory may be beside
    /// this one, and the worker is another user.
    private static func makePath(_ path: String) throws(FileError) {
        var prefix = path.hasPrefix("/") ? "" : "."
        let parts = path.split(separator: "/")
        for (index, part) in parts.enumerated() {
            prefix += "/\(part)"
            guard !PosixFile.exists(prefix) else { continue }
            try PosixFile.makeDirectory(prefix, mode: index == parts.count - 1 ? 0o700 : 0o755)
        }
    }

    private static func checkVersion(directory: String) throws(CoordinatorError) {
        let text: String
        do throws(FileError) {
            let file = try PosixFile(path: "\(directory)/version", flags: O_RDWR | O_CREAT)
            text = try readVersion(file)
            if text.isEmpty {
                try file.write(ByteBuffer(string: "\(version)\n"), at: 0)
                try file.sync()
                return try PosixFile.syncDirectory(directory)
            }
        } catch {
            throw CoordinatorError("\(error); check the disk and the directory's owner")
        }
        try require(text, in: directory)
    }

    /// Refuses a directory of another format, and one that is none, and changes nothing in it.
    static func checkExisting(_ directory: String) throws(CoordinatorError) {
        let text: String
        do throws(FileError) {
            text = try readVersion(try PosixFile(path: "\(directory)/version", flags: O_RDONLY))
        } catch {
            throw CoordinatorError("\(error); is this a coordinator's --data-dir, and are you its owner?")
        }
        try require(text, in: directory)
    }

    private static func readVersion(_ file: PosixFile) throws(FileError) -> String {
        String(buffer: try file.read(at: 0, limit: 32)).filter { !$0.isWhitespace }
    }

    private static func require(_ text: String, in directory: String) throws(CoordinatorError) {
        guard text == "\(version)" else {
            throw CoordinatorError(
                "\(directory) has the format \(TerminalText.harmless(text, limit: 32)), and this Sandpool knows "
                    + "\(version); upgrade Sandpool or choose another --data-dir")
        }
    }

    /// Writes a secret so that it is whole or absent, and only its owner can read it.
    func writeSecret(_ text: String, to destination: String) throws(FileError) {
        let temporary = destination + ".new"
        unlink(temporary)
        let file = try PosixFile(path: temporary, flags: O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
        try file.write(ByteBuffer(string: text + "\n"), at: 0)
        try file.sync()
        _ = try PosixFile.retry("rename", destination) { rename(temporary, destination) }
        try PosixFile.syncDirectory(path)
    }
}
