import Crypto
import Glibc
import LinuxSystem
import Sandpool
import SandpoolModel

/// How much of a keyed job's output this user was shown, kept so that it survives this process: a second run of the
/// same key goes on after the last byte.
///
/// The file is mapped, so that a note costs no system call and stays when the process is killed between two of them
/// (mmap(2), MAP_SHARED). It is written after the bytes it counts: what is shown twice is at most the chunk in between.
/// After a power loss the note may be older than what was shown. A second client with the same key at the same time
/// has no note and is shown everything.
///
/// Unchecked: one task at a time uses it, the one that follows the job.
final class ShownOutput: @unchecked Sendable {
    private static let magic: StaticString = "sandpool shown 1"
    private static let bytes = 256
    /// Where in the file each part is; a word has room for 64 bytes, which is the longest id.
    private static let (jobAt, attemptAt, stdoutAt, stderrAt) = (32, 96, 160, 168)
    private static let wordBytes = 64
    /// What nobody took up for so long is removed, so many files a run.
    private static let keepSeconds = 30 * 86_400
    private static let sweptAtOnce = 64

    private let path: String
    /// Holds the lock.
    private let file: FileDescriptor
    private let map: UnsafeMutableRawPointer
    /// What is in the file.
    private(set) var position: JobPosition?

    /// The note of a key at a coordinator; `nil` where another process has it. Where it cannot be kept the user is
    /// told, since he may rely on it.
    static func open(key: String, of endpoint: Endpoint) -> ShownOutput? {
        let directory = DataDirectories.clientState + "/shown"
        do {
            try DataDirectories.makePrivate(directory)
            sweep(directory)
            let name = SHA256.hash(data: Array("\(endpoint)\0\(key)".utf8)).map { byte in
                (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
            return try ShownOutput(path: directory + "/" + name.joined())
        } catch {
            StandardError.line("sandpool: if this run is cut off, another one shows all output again: \(error)")
            return nil
        }
    }

    private init?(path: String) throws {
        self.path = path
        file = try FileDescriptor.open(path, O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o600)
        guard flock(file.raw, LOCK_EX | LOCK_NB) == 0 else { return nil }
        // Never shorter than the map, which would trap when it is touched.
        let space = posix_fallocate(file.raw, 0, Self.bytes)
        guard space == 0 else { throw SystemError("posix_fallocate \(path)", code: space) }
        let map = mmap(nil, Self.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.raw, 0)
        guard let map, map != MAP_FAILED else { throw SystemError("mmap \(path)", code: errno) }
        self.map = map
        position = read()
    }

    deinit { munmap(map, Self.bytes) }

    /// Everything up to here was written to the user's descriptors.
    func note(_ position: JobPosition) {
        if position.job != self.position?.job || position.attempt != self.position?.attempt {
            // Cut off in between, this is a note of nothing.
            map.storeBytes(of: 0, toByteOffset: Self.stdoutAt, as: Int64.self)
            map.storeBytes(of: 0, toByteOffset: Self.stderrAt, as: Int64.self)
            write(position.job.text, at: Self.jobAt)
            write(position.attempt?.text ?? "", at: Self.attemptAt)
            Self.magic.withUTF8Buffer { map.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
        }
        map.storeBytes(of: position.stdout, toByteOffset: Self.stdoutAt, as: Int64.self)
        map.storeBytes(of: position.stderr, toByteOffset: Self.stderrAt, as: Int64.self)
        self.position = position
    }

    /// The user was shown the job to its end: a later run of the key shows it anew.
    func remove() { unlink(path) }

    private func read() -> JobPosition? {
        let isNote = Self.magic.withUTF8Buffer { memcmp(map, $0.baseAddress!, $0.count) == 0 }
        guard isNote, let job = JobID(word(at: Self.jobAt)) else { return nil }
        let stdout = map.load(fromByteOffset: Self.stdoutAt, as: Int64.self)
        let stderr = map.load(fromByteOffset: Self.stderrAt, as: Int64.self)
        guard let attempt = AttemptID(word(at: Self.attemptAt)), stdout >= 0, stderr >= 0 else {
            return JobPosition(job: job, attempt: nil, stdout: 0, stderr: 0)
        }
        return JobPosition(job: job, attempt: attempt, stdout: stdout, stderr: stderr)
    }

    private func word(at offset: Int) -> String {
        let bytes = UnsafeRawBufferPointer(start: map + offset, count: Self.wordBytes)
        return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }

    private func write(_ word: String, at offset: Int) {
        let bytes = UnsafeMutableRawBufferPointer(start: map + offset, count: Self.wordBytes)
        for index in bytes.indices { bytes[index] = 0 }
        bytes.copyBytes(from: word.utf8.prefix(Self.wordBytes))
    }

    private static func sweep(_ directory: String) {
        let oldest = time(nil) - keepSeconds
        for name in ((try? DirectoryListing.names(in: directory)) ?? []).prefix(sweptAtOnce) {
            var status = stat()
            let path = directory + "/" + name
            if stat(path, &status) == 0, status.st_mtim.tv_sec < oldest { unlink(path) }
        }
    }
}
