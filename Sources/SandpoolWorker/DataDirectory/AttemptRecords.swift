import Glibc
import LinuxSystem
import SandpoolAPI
import SandpoolModel

/// One small file for each attempt that was given to the launcher, named by its id.
///
/// Written before the start and not synced: it has to outlive this process, not the host. A host that goes
/// down takes the sandbox with it, and the coordinator learns so from the new boot id. Nor does it need a
/// temporary name: a process that dies while it writes one has not started that sandbox.
struct AttemptRecords: Sendable {
    let directory: String

    func save(_ record: AttemptRecord) throws {
        let json = try WireJSON.encode(record)
        let file = try FileDescriptor.open(path(record.lease.attempt), O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600)
        try file.writeAll(Array(json.readableBytesView))
    }

    func remove(_ attempt: AttemptID) { unlink(path(attempt)) }

    /// Every readable record; files that are none are removed.
    func load() throws -> [AttemptRecord] {
        try DirectoryListing.names(in: directory).compactMap { name in
            let path = "\(directory)/\(name)"
            let file = try FileDescriptor.open(path, O_RDONLY)
            if let record = try? WireJSON.decode(AttemptRecord.self, from: file.readAll(limit: 1 << 20)),
                record.lease.attempt.text == name
            {
                return record
            }
            unlink(path)
            return nil
        }
    }

    private func path(_ attempt: AttemptID) -> String { "\(directory)/\(attempt.text)" }
}
