import Glibc
import LinuxSystem
import SandpoolAPI
import SandpoolModel

/// The last verification, in the worker's data directory.
struct VerificationFile: Sendable {
    let path: String

    private static let limit = 8 << 20

    /// Nil when there is none, or none that can be read: then there has to be another.
    func load() -> Verification? {
        guard let bytes = try? FileDescriptor.open(path, O_RDONLY).readAll(limit: Self.limit) else { return nil }
        return try? WireJSON.decode(Verification.self, from: bytes)
    }

    func save(_ verification: Verification) throws {
        try WorkerDirectory.replace(path, with: try WireJSON.text(verification) + "\n")
    }
}
