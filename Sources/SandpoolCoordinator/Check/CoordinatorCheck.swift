import SandpoolModel
import SandpoolStore

/// Looks at a coordinator's data directory for what breaks a promise: `sandpool coordinator check`.
///
/// It reads and changes nothing, and a coordinator may run on the directory meanwhile. What it finds missing or left
/// over is looked at once more before it is told, since jobs come and are pruned in the meantime.
public struct CoordinatorCheck: Sendable {
    /// What was looked at, and how much of it is not as it must be.
    public struct Summary: Codable, Hashable, Sendable {
        public var jobs: Int
        public var attempts: Int
        public var findings: Int
    }

    private let directory: UnlockedDirectory
    private let readsOutput: Bool

    /// - Parameter readsOutput: whether all output is read and compared with what the commands wrote, and not only its
    ///   length.
    public init(dataDirectory: String, readsOutput: Bool = false) {
        directory = UnlockedDirectory(path: dataDirectory)
        self.readsOutput = readsOutput
    }

    /// Looks at everything once.
    ///
    /// - Parameter found: called with each finding as it comes.
    /// - Throws: `CoordinatorError` where the directory cannot be looked at; what `found` throws.
    public func run(_ found: (CheckFinding) throws -> Void) throws -> Summary {
        try DataDirectory.checkExisting(directory.path)
        let database: DatabaseCheck
        do { database = try DatabaseCheck(path: directory.database) } catch { throw CoordinatorError("\(error)") }
        var findings = 0
        func find(_ finding: CheckFinding) throws {
            findings += 1
            try found(finding)
        }
        do {
            let files = FileCheck(
                output: OutputPaths(root: directory.output), blobs: directory.blobs, database: database,
                readsOutput: readsOutput)
            let counts = try database.run(look: { try files.look(at: $0, find) }, find: find)
            try files.findOrphans(find)
            try database.close()
            return Summary(jobs: counts.jobs, attempts: counts.attempts, findings: findings)
        } catch let error as FileError {
            throw CoordinatorError("\(error); run as the directory's owner, and check the disk")
        } catch let error as StoreError {
            throw CoordinatorError("\(error)")
        }
    }
}
