import Glibc
import LinuxSystem
import SandpoolAPI
import SandpoolModel
import Synchronization

/// One small file for each attempt that was given to the launcher: the record as JSON, ended by a newline.
///
/// Written before the start and not synced: it has to outlive this process, not the host. A host that goes
/// down takes the sandbox with it, and the coordinator learns so from the new boot id. Nor does it need a
/// temporary name: a process that dies while it writes one has not started that sandbox.
///
/// Files are written over by later attempts, since making and removing an inode for each costs ext4 more than
/// everything else that a worker does for a short job (Docs/decisions/0006-spool-files-are-used-again.md).
/// A file whose first line is empty belongs to nobody.
final class AttemptRecords: Sendable {
    /// Files without an attempt that are kept open.
    private static let spareLimit = 64
    /// Bytes of a file that may be kept as a spare, and of one that is read.
    private static let spareBytes = 16 << 10
    private static let readLimit = 1 << 20

    private let directory: String
    private let files = Mutex(Files())

    private struct Files {
        var used: [AttemptID: RecordFile] = [:]
        var spare: [RecordFile] = []
        /// The number that names the next new file.
        var next: UInt64 = 0
    }

    private struct RecordFile {
        let path: String
        let descriptor: FileDescriptor
        var bytes: Int
    }

    init(directory: String) { self.directory = directory }

    func save(_ record: AttemptRecord) throws {
        let line = Array(try WireJSON.encode(record).readableBytesView) + [UInt8(ascii: "\n")]
        try files.withLock { files in
            var file = try files.spare.popLast() ?? makeFile(&files.next)
            file.bytes = max(file.bytes, line.count)
            files.used[record.lease.attempt] = file
            try file.descriptor.writeAll(line, at: 0)
        }
    }

    func remove(_ attempt: AttemptID) {
        files.withLock { files in
            guard let file = files.used.removeValue(forKey: attempt) else { return }
            keep(file, in: &files)
        }
    }

    /// Every readable record. The other files become spares or go.
    func load() throws -> [AttemptRecord] {
        let names = try DirectoryListing.names(in: directory)
        return try files.withLock { files in
            files.next = (names.compactMap(UInt64.init).max() ?? 0) &+ 1
            return try names.compactMap { name in
                let path = "\(directory)/\(name)"
                let descriptor = try FileDescriptor.open(path, O_RDWR)
                guard let bytes = try? descriptor.readAll(limit: Self.readLimit) else {
                    unlink(path)
                    return nil
                }
                let file = RecordFile(path: path, descriptor: descriptor, bytes: bytes.count)
                let line = bytes.prefix { $0 != UInt8(ascii: "\n") }
                guard let record = try? WireJSON.decode(AttemptRecord.self, from: Array(line)) else {
                    keep(file, in: &files)
                    return nil
                }
                files.used[record.lease.attempt] = file
                return record
            }
        }
    }

    private func makeFile(_ next: inout UInt64) throws(SystemError) -> RecordFile {
        let path = "\(directory)/\(next)"
        next &+= 1
        let descriptor = try FileDescriptor.open(path, O_RDWR | O_CREAT | O_EXCL, mode: 0o600)
        return RecordFile(path: path, descriptor: descriptor, bytes: 0)
    }

    /// Empties the first line, or removes the file where there are spares enough.
    private func keep(_ file: RecordFile, in files: inout Files) {
        let isKept =
            files.spare.count < Self.spareLimit && file.bytes <= Self.spareBytes
            && (try? file.descriptor.writeAll([UInt8(ascii: "\n")], at: 0)) != nil
        if isKept { files.spare.append(file) } else { unlink(file.path) }
    }
}
