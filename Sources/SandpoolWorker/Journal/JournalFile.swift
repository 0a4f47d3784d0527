import Glibc
import LinuxSystem
import SandpoolAPI
import SandpoolModel

/// The journal's file and what is still pending in it. Calls block.
struct JournalFile {
    /// Settled bytes from which on the file is written anew, if they are the most of it.
    static let compactionBytes = 1 << 20
    /// Bound on what is replayed: far above what bounded attempts can leave.
    static let sizeLimit = 1 << 30
    /// The file grows by zeros, this many at a time: fdatasync(2) of bytes written over is one write, while that
    /// of a file that grew commits the file system's own journal as well.
    static let growthBytes = 256 << 10

    private let path: String
    private var file: FileDescriptor
    private var length: Int
    /// Where the zeros end that were written ahead.
    private var allocated: Int
    private var pending: [AttemptLease: (order: Int, result: AttemptResult, bytes: Int)] = [:]
    /// Bytes of what is pending.
    private var liveBytes = 0
    private var nextOrder = 0

    var pendingResults: [AttemptResult] { pending.values.sorted { $0.order < $1.order }.map(\.result) }

    static func open(path: String) throws -> (JournalFile, skippedBytes: Int) {
        let isNew = access(path, F_OK) != 0
        let file = try FileDescriptor.open(path, O_RDWR | O_CREAT, mode: 0o600)
        let bytes = try file.readAll(limit: sizeLimit)
        let replay = JournalRecord.replay(bytes)
        var journal = JournalFile(path: path, file: file, length: replay.validEnd)
        for (record, size) in replay.records { journal.apply(record, bytes: size) }
        if replay.validEnd < bytes.count {
            try systemCall("ftruncate \(path)") { ftruncate(file.raw, off_t(replay.validEnd)) }
        }
        if isNew { try DirectorySync.sync(parentOf: path) }
        return (journal, replay.skippedBytes)
    }

    private init(path: String, file: FileDescriptor, length: Int) {
        self.path = path
        self.file = file
        self.length = length
        allocated = length
    }

    /// Appends records in one write. A write that fails half-way is cut off again, so that the next starts at a
    /// record's boundary.
    mutating func append(_ records: [JournalRecord], durably: Bool) throws {
        var bytes: [UInt8] = []
        var sizes: [Int] = []
        for record in records {
            let encoded = try record.encoded()
            bytes += encoded
            sizes.append(encoded.count)
        }
        do {
            try growIfNeeded(to: length + bytes.count)
            try file.writeAll(bytes, at: length)
            if durably { try systemCall("fdatasync") { fdatasync(file.raw) } }
        } catch {
            _ = ftruncate(file.raw, off_t(length))
            allocated = length
            throw error
        }
        length += bytes.count
        for (record, size) in zip(records, sizes) { apply(record, bytes: size) }
        // What was appended is safe whatever becomes of this; the next append tries again.
        try? compactIfWorthwhile()
    }

    private mutating func growIfNeeded(to end: Int) throws {
        guard end > allocated else { return }
        let zeros = [UInt8](repeating: 0, count: end - allocated + Self.growthBytes)
        try file.writeAll(zeros, at: allocated)
        allocated += zeros.count
    }

    private mutating func apply(_ record: JournalRecord, bytes: Int) {
        switch record {
        case .result(let result):
            nextOrder += 1
            liveBytes += bytes - (pending.updateValue((nextOrder, result, bytes), forKey: result.lease)?.bytes ?? 0)
        case .settled(let lease):
            liveBytes -= pending.removeValue(forKey: lease)?.bytes ?? 0
        }
    }

    /// Writes what is pending to a new file that takes the old one's name whole or not at all.
    private mutating func compactIfWorthwhile() throws {
        guard length - liveBytes >= Self.compactionBytes, length > 2 * liveBytes else { return }
        let temporary = path + ".new"
        let replacement = try FileDescriptor.open(temporary, O_RDWR | O_CREAT | O_TRUNC, mode: 0o600)
        let bytes = try pendingResults.flatMap { try JournalRecord.result($0).encoded() }
        try replacement.writeAll(bytes)
        try systemCall("fdatasync") { fdatasync(replacement.raw) }
        try systemCall("rename \(temporary)") { rename(temporary, path) }
        file = replacement
        length = bytes.count
        allocated = length
        try DirectorySync.sync(parentOf: path)
    }
}
