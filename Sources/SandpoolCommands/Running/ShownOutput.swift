import Crypto
import Glibc
import LinuxSystem
import Sandpool
import SandpoolModel
import Synchronization

/// How much of a keyed job's output this user was shown, kept so that it survives this process: a second run of the
/// same key goes on after the last byte.
///
/// A note is one write within a page, which a signal does not cut, after the bytes that it counts: what is shown twice
/// is at most the chunk in between. It is not synced; after a power loss it may be older than what was shown. A second
/// client with the same key at the same time has no note and is shown everything.
final class ShownOutput: Sendable {
    /// Bytes of a note: two ids and two offsets always fit.
    private static let size = 256
    /// What nobody took up for so long is removed, at most so many files a run.
    private static let keepSeconds = 30 * 86_400
    private static let sweptAtOnce = 256
    /// How often a note that was removed while its lock was waited for is opened anew.
    private static let tries = 8

    private let directory: FileDescriptor
    private let name: String
    /// Holds the lock.
    private let file: FileDescriptor
    private let noted: Mutex<JobPosition?>

    /// What is noted.
    var position: JobPosition? { noted.withLock(\.self) }

    /// The note of a key at a coordinator; `nil` where another process has it. Where it cannot be kept the user is
    /// told, since he may rely on it.
    static func open(key: String, of endpoint: Endpoint) -> ShownOutput? {
        let name = SHA256.hash(data: Array("\(endpoint)\0\(key)".utf8)).map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        do {
            let path = "\(try DataDirectories.clientState)/shown"
            try DataDirectories.makePrivate(path)
            let directory = try ownDirectory(path)
            sweep(directory)
            return try ShownOutput(in: directory, name: name.joined())
        } catch {
            StandardError.line("sandpool: if this run is cut off, another one shows all output again: \(error)")
            return nil
        }
    }

    /// Opens a directory in which nobody but this user can have put anything.
    private static func ownDirectory(_ path: String) throws -> FileDescriptor {
        let directory = try FileDescriptor.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        var state = stat()
        try systemCall("fstat \(path)") { fstat(directory.raw, &state) }
        guard state.st_uid == geteuid(), state.st_mode & 0o022 == 0 else {
            throw SandpoolError(
                code: "foreign_directory", message: "\(path) is another user's, or others may write to it",
                hint: "remove it, or set XDG_STATE_HOME to a directory of your own")
        }
        return directory
    }

    private init?(in directory: FileDescriptor, name: String) throws {
        self.directory = directory
        self.name = name
        for _ in 0..<Self.tries {
            let file = try directory.open(name, O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o600)
            guard try Self.lock(file) else { return nil }
            var state = stat()
            try systemCall("fstat \(name)") { fstat(file.raw, &state) }
            // Its last holder may have removed it just before the lock was free.
            guard state.st_nlink > 0 else { continue }
            self.file = file
            noted = Mutex(Self.read(file))
            // Room for every note to come, so that a full disk shows here.
            try Self.write(position, to: file)
            return
        }
        return nil
    }

    /// Whether nobody else has it.
    private static func lock(_ file: FileDescriptor) throws(SystemError) -> Bool {
        if flock(file.raw, LOCK_EX | LOCK_NB) == 0 { return true }
        if errno == EWOULDBLOCK { return false }
        throw SystemError("flock", code: errno)
    }

    /// Everything up to here was written to the user's descriptors.
    func note(_ position: JobPosition) {
        noted.withLock { $0 = position }
        // A note that is not taken is older than it could be, and the next one may be.
        try? Self.write(position, to: file)
    }

    /// The user was shown the job to its end: a later run of the key shows it anew.
    func remove() { unlinkat(directory.raw, name, 0) }

    private static func write(_ position: JobPosition?, to file: FileDescriptor) throws(SystemError) {
        var text = position.map { "\($0.job) \($0.attempt?.text ?? "-") \($0.stdout) \($0.stderr)" } ?? ""
        text += String(repeating: " ", count: size - 1 - text.utf8.count) + "\n"
        let bytes = Array(text.utf8)
        try systemCall("pwrite") { pwrite(file.raw, bytes, bytes.count, 0) }
    }

    private static func read(_ file: FileDescriptor) -> JobPosition? {
        var bytes = [UInt8](repeating: 0, count: size)
        let count = pread(file.raw, &bytes, bytes.count, 0)
        let words = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).split { $0 == " " || $0 == "\n" }
        guard words.count == 4, let job = JobID(String(words[0])), let stdout = Int64(words[2]),
            let stderr = Int64(words[3]), stdout >= 0, stderr >= 0
        else { return nil }
        guard let attempt = AttemptID(String(words[1])) else {
            return JobPosition(job: job, attempt: nil, stdout: 0, stderr: 0)
        }
        return JobPosition(job: job, attempt: attempt, stdout: stdout, stderr: stderr)
    }

    /// Removes notes that nobody took up, and nothing else.
    private static func sweep(_ directory: FileDescriptor) {
        let oldest = time(nil) - keepSeconds
        let names = (try? DirectoryListing.names(in: directory)) ?? []
        for name in names.filter(isNote).shuffled().prefix(sweptAtOnce) {
            var state = stat()
            guard fstatat(directory.raw, name, &state, AT_SYMLINK_NOFOLLOW) == 0, state.st_mode & S_IFMT == S_IFREG,
                state.st_mtim.tv_sec < oldest,
                let file = try? directory.open(name, O_RDWR | O_NOFOLLOW), (try? lock(file)) == true
            else { continue }
            unlinkat(directory.raw, name, 0)
        }
    }

    private static func isNote(_ name: String) -> Bool { name.utf8.count == 64 && isIdentifierText(name) }
}
