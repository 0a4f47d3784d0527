import Glibc
import NIOCore
import SandpoolAPI
import SandpoolModel
import SandpoolStore

/// Copies a coordinator's data directory while a coordinator may run on it: `sandpool coordinator backup`.
///
/// The database is copied first, as of one moment, and the files that it names after it: output only grows, and a blob
/// never changes, so each file holds what the database says of it. What was pruned meanwhile is taken out of the copy.
/// The copy is made under another name, `TARGET.partial`, and gets its own once it is on the disk.
///
/// Tokens are in it as the database has them, by their hashes; `admin.token` is a secret and is not. The first start
/// on the copy writes another one.
public struct CoordinatorBackup: Sendable {
    /// What was copied.
    public struct Summary: Hashable, Sendable {
        public var files = 0
        public var bytes: Int64 = 0
    }

    private let source: UnlockedDirectory
    private let target: String
    private let partial: UnlockedDirectory

    public init(dataDirectory: String, target: String) {
        source = UnlockedDirectory(path: dataDirectory)
        var target = target[...]
        while target.count > 1, target.hasSuffix("/") { target = target.dropLast() }
        self.target = String(target)
        partial = UnlockedDirectory(path: target + ".partial")
    }

    /// Makes the copy.
    ///
    /// - Throws: `CoordinatorError`; nothing is left under the target's name then.
    public func run() throws -> Summary {
        try DataDirectory.checkExisting(source.path)
        guard !PosixFile.exists(target) else {
            throw CoordinatorError("\(target) exists; name a directory that is not there yet")
        }
        do throws(FileError) {
            // Refuses where it is there: another backup may be at it.
            _ = try PosixFile.retry("mkdir", partial.path) { mkdir(partial.path, 0o700) }
        } catch {
            let hint = error.code == EEXIST ? "unless another backup is at it, remove it" : "check where it is to be"
            throw CoordinatorError("\(error); \(hint)")
        }
        do {
            let summary = try copy()
            try finish()
            return summary
        } catch {
            PosixFile.removeTree(partial.path)
            switch error {
            case let error as FileError: throw CoordinatorError("\(error); nothing was backed up")
            case let error as StoreError: throw CoordinatorError("\(error); nothing was backed up")
            default: throw error
            }
        }
    }

    private func copy() throws -> Summary {
        var summary = Summary()
        let database = try DatabaseCopy(of: source.database, to: partial.database, now: SystemClock().now)
        func copy(_ path: String, to target: String) throws {
            guard let bytes = try PosixFile.copy(path, to: target) else { return }
            summary.files += 1
            summary.bytes += bytes
        }
        let (output, copies) = (OutputPaths(root: source.output), OutputPaths(root: partial.output))
        for folder in [copies.root, partial.blobs, "\(partial.blobs)/sha256"] { try PosixFile.makeDirectory(folder) }
        try database.forEachAttempt { job, attempt in
            guard PosixFile.exists(output.folder(of: job)) else { return }
            try PosixFile.makeDirectory(copies.shelf(of: job))
            try PosixFile.makeDirectory(copies.folder(of: job))
            for code in [OutputStreamCode.stdout, .stderr] {
                let stream = OutputStreamID(job: job, attempt: attempt, code: code)
                try copy(output.file(of: stream), to: copies.file(of: stream))
                try copy(output.times(of: stream), to: copies.times(of: stream))
            }
        }
        try database.forEachBlob { digest in
            guard let path = BlobStore.path(of: digest, in: source.blobs),
                let target = BlobStore.path(of: digest, in: partial.blobs)
            else { return }
            try PosixFile.makeDirectory(PosixFile.parent(of: target))
            try copy(path, to: target)
        }
        try database.removePruned { job in PosixFile.removeTree(copies.folder(of: job)) }
        try database.close()
        try copy("\(source.path)/version", to: "\(partial.path)/version")
        summary.bytes += try PosixFile.status(partial.database)?.bytes ?? 0
        summary.files += 1
        return summary
    }

    /// Makes the copy durable, then gives it its name.
    private func finish() throws(FileError) {
        try PosixFile(path: partial.database, flags: O_RDWR).sync()
        // The files were synced one by one, which says whether they could be. sync(2) does the rest, their names, with
        // one call for however many, and waits for it.
        Glibc.sync()
        // rename(2) replaces at most an empty directory that somebody made meanwhile.
        _ = try PosixFile.retry("rename", target) { rename(partial.path, target) }
        try PosixFile.syncDirectory(PosixFile.parent(of: target))
    }
}
