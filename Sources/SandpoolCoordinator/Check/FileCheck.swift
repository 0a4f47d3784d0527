import SandpoolAPI
import SandpoolModel
import SandpoolStore

/// Compares the files beside a database with what the database says of them.
struct FileCheck {
    let output: OutputPaths
    let blobs: String
    let database: DatabaseCheck
    /// Whether output is read, and not only measured.
    let readsOutput: Bool

    private typealias Find = (CheckFinding) throws -> Void

    func look(at stored: Stored, _ find: (CheckFinding) throws -> Void) throws {
        switch stored {
        case .job(let job, let state, let spec):
            guard !state.isTerminal else { return }
            for mount in spec.mounts where try isMissing(mount.blob) {
                guard try database.state(of: job)?.isTerminal == false else { return }
                try find(
                    CheckFinding(
                        .blob, at: job.text, "mounts \(mount.blob), which is not there",
                        remedy: "cancel the job and submit it again, which uploads the archive again"))
            }
        case .attempt(let stored):
            try checkDownloads(of: stored, find)
            for code in [OutputStreamCode.stdout, .stderr] { try check(code, of: stored, find) }
        }
    }

    // MARK: Blobs

    private func isMissing(_ digest: String) throws -> Bool {
        guard let path = BlobStore.path(of: digest, in: blobs) else { return true }
        return try PosixFile.status(path) == nil
    }

    private func checkDownloads(of stored: StoredAttempt, _ find: Find) throws {
        guard let digest = stored.downloads, try isMissing(digest), try isThere(stored) else { return }
        try find(
            CheckFinding(
                .blob, at: place(of: stored), "its downloads, \(TerminalText.harmless(digest)), are not there",
                remedy: "restore \(blobs) from a backup, or run the job again"))
    }

    // MARK: Output

    /// What a stream holds: segment file first, and behind it what the result carried. Where a command was reaped, the
    /// evidence says how much it must be, since a result is recorded once its output is durable, and the digest what.
    private func check(_ code: OutputStreamCode, of stored: StoredAttempt, _ find: Find) throws {
        let attempt = stored.attempt
        guard attempt.state.isTerminal else { return }
        let stream = OutputStreamID(job: stored.job, attempt: attempt.id, code: code)
        let length = try PosixFile.status(output.file(of: stream))?.bytes ?? 0
        let tail = stored.tails.first { $0.stream == code.stream }
        let what: String
        if let tail, tail.offset > length {
            what = "bytes \(length) to \(tail.offset) of its \(code.stream.rawValue) are not there"
        } else {
            let end = max(length, tail.map { $0.offset + $0.count } ?? 0)
            guard let evidence = attempt.evidence, let written = evidence.bytes(of: code.stream) else { return }
            let lost = evidence.lostBytes(of: code.stream)
            if end != written - lost {
                what = "\(end) bytes of its \(code.stream.rawValue) are there, and \(written - lost) were reported"
            } else if readsOutput, lost == 0, let digest = evidence.digest(of: code.stream),
                let difference = try difference(of: stream, to: length, from: digest)
            {
                what = "its \(code.stream.rawValue) \(difference)"
            } else {
                return
            }
        }
        guard try isThere(stored) else { return }
        try find(
            CheckFinding(
                .output, at: place(of: stored), what,
                remedy: "check the disk of \(output.root), and restore that file from a backup"))
    }

    /// What is wrong with the bytes of a stream whose file ends at `length`. One that cannot be read is a finding as
    /// any other: the rest is still to be looked at.
    private func difference(of stream: OutputStreamID, to length: Int64, from digest: String) throws -> String? {
        do {
            return try self.digest(of: stream, to: length) == digest ? nil : "is not what the command wrote"
        } catch let error as FileError {
            return "cannot be read: \(error)"
        }
    }

    /// The digest of a stream whose file ends at `length`.
    private func digest(of stream: OutputStreamID, to length: Int64) throws -> String {
        var digest = OutputDigest()
        if length > 0, let file = try PosixFile.openIfThere(output.file(of: stream)) {
            while digest.bytes < length {
                let piece = try file.read(
                    at: digest.bytes, limit: Int(min(length - digest.bytes, Int64(OutputDigest.pieceBytes))))
                guard piece.readableBytes > 0 else { break }
                digest.add(piece)
            }
        }
        if let tail = try database.tail(of: stream.attempt, stream.code.stream) { digest.add(tail) }
        return digest.text
    }

    /// Whether it was not pruned while it was looked at.
    private func isThere(_ stored: StoredAttempt) throws -> Bool {
        try database.job(of: stored.attempt.id) == stored.job
    }

    private func place(of stored: StoredAttempt) -> String { "\(stored.job) \(stored.attempt.id)" }

    // MARK: Orphans

    /// Files of output that belong to no attempt.
    func findOrphans(_ find: (CheckFinding) throws -> Void) throws {
        try PosixFile.names(in: output.root) { shelf in
            // What mkfs makes at the root of ext4, where the output has a file system of its own.
            guard shelf != "lost+found" else { return }
            let path = "\(output.root)/\(shelf)"
            guard shelf.utf8.count == 2 else { return try findOrphan(path, find) }
            try PosixFile.names(in: path) { name in
                guard let job = JobID(name), OutputPaths.shelf(of: job) == shelf, try database.state(of: job) != nil
                else { return try findOrphan("\(path)/\(name)", find) }
                try findOrphans(of: job, find)
            }
        }
    }

    private func findOrphans(of job: JobID, _ find: Find) throws {
        let folder = output.folder(of: job)
        try PosixFile.names(in: folder) { name in
            guard let attempt = OutputPaths.attempt(ofFile: name), try database.job(of: attempt) == job else {
                return try findOrphan("\(folder)/\(name)", find)
            }
        }
    }

    private func findOrphan(_ path: String, _ find: Find) throws {
        // Rows of pruned jobs go first and their files follow.
        guard PosixFile.exists(path) else { return }
        try find(
            CheckFinding(
                .orphan, at: TerminalText.harmless(path), "belongs to no job that is known",
                remedy: "remove it, or start the coordinator, which removes what pruned jobs left"))
    }
}
