import Glibc
import LinuxSystem
import SandpoolModel

/// The worker's directory: one process at a time, one format version, one identity.
///
/// The lock is flock(2) on `lock`, which the kernel drops with the process, so a crash leaves nothing behind.
final class WorkerDirectory: Sendable {
    /// The format that this program writes. A higher number in `version` means a newer program was here.
    static let version = 1

    let path: String
    let workerID: WorkerID
    let attempts: AttemptRecords
    private let lock: FileDescriptor

    var journal: String { "\(path)/journal" }
    var renewal: String { "\(path)/renewed" }
    var blobs: String { "\(path)/blobs" }
    var downloads: String { "\(path)/downloads" }
    var layers: String { "\(path)/layers" }
    var verification: String { "\(path)/verification.json" }
    var images: String { "\(path)/images" }

    /// - Parameter now: stamped into a new worker's id.
    init(path: String, now: Timestamp) throws {
        self.path = path
        attempts = AttemptRecords(directory: "\(path)/attempts")
        do {
            try Self.makePath(path)
            lock = try FileDescriptor.open("\(path)/lock", O_RDWR | O_CREAT, mode: 0o600)
        } catch {
            throw WorkerError("\(error); run as the directory's owner or choose another --data-dir")
        }
        guard flock(lock.raw, LOCK_EX | LOCK_NB) == 0 else {
            throw WorkerError("\(path) is in use by another worker; stop that one or choose another --data-dir")
        }
        do {
            try Self.checkVersion(in: path)
            for name in ["attempts", "blobs", "downloads", "layers", "images"] {
                try Self.makePath("\(path)/\(name)")
            }
            // The user that an image build maps to root passes through to its own tree, and lists nothing.
            for open in [path, "\(path)/images"] { try systemCall("chmod \(open)") { chmod(open, 0o711) } }
            workerID = try Self.identity(in: path, now: now)
        } catch let error as SystemError {
            throw WorkerError("\(error); check the disk and the owner of \(path)")
        }
    }

    /// Lets another worker have the directory, whoever still refers to this value.
    func unlock() { flock(lock.raw, LOCK_UN) }

    /// `mkdir -p`, each new part private.
    static func makePath(_ path: String) throws(SystemError) {
        var prefix = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            prefix += "/\(part)"
            if access(prefix, F_OK) == 0 { continue }
            guard mkdir(prefix, 0o700) == 0 || errno == EEXIST else {
                throw SystemError("mkdir \(prefix)", code: errno)
            }
        }
    }

    private static func checkVersion(in directory: String) throws {
        let path = "\(directory)/version"
        guard access(path, F_OK) == 0 else { return try replace(path, with: "\(version)\n") }
        let text = try readText(path)
        guard let found = Int(text) else {
            throw WorkerError("\(path) holds no number; restore or remove \(directory)")
        }
        guard found <= version else {
            throw WorkerError(
                "\(directory) was written by a newer sandpool (format \(found)); upgrade this one, "
                    + "or choose another --data-dir")
        }
    }

    private static func identity(in directory: String, now: Timestamp) throws -> WorkerID {
        let path = "\(directory)/worker-id"
        if access(path, F_OK) == 0 {
            let text = try readText(path)
            guard let id = WorkerID(text) else { throw WorkerError("\(path) holds no worker id; remove it") }
            return id
        }
        let id = WorkerID.make(at: now)
        try replace(path, with: id.text + "\n")
        return id
    }

    private static func readText(_ path: String) throws -> String {
        let bytes = try FileDescriptor.open(path, O_RDONLY).readAll(limit: 256)
        return String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace }
    }

    /// Writes a file whole or not at all, durably.
    static func replace(_ path: String, with text: String) throws {
        let temporary = path + ".new"
        let file = try FileDescriptor.open(temporary, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600)
        try file.writeAll(Array(text.utf8))
        try systemCall("fsync \(temporary)") { fsync(file.raw) }
        try systemCall("rename \(temporary)") { rename(temporary, path) }
        try DirectorySync.sync(parentOf: path)
    }
}
