import Glibc
import LinuxSystem
import NIOPosix
import Sandpool

/// Who owns this user's local pool, settled by flock(2), which the kernel drops with its process.
///
/// Everybody holds `users` shared; one of them holds `owner` too. The owner leaves only when it could lock
/// `users` alone, so nobody who found it there is left without it.
final class LocalLocks: Sendable {
    enum Role {
        case owner
        case guest
    }

    private let directory: String
    private let users: FileDescriptor
    private let owner: FileDescriptor

    /// How long a pool may take to listen.
    private static let patience = Duration.seconds(15)

    static func socket(in directory: String) -> String { "\(directory)/sandpool.sock" }

    init(directory: String) throws {
        self.directory = directory
        try DataDirectories.makePrivate(directory)
        users = try Self.open("\(directory)/users.lock")
        owner = try Self.open("\(directory)/owner.lock")
    }

    /// Becomes the owner, or finds the one that serves.
    func join() async throws -> Role {
        let deadline = ContinuousClock.now + Self.patience
        let pool = Pool(endpoint: Endpoint(socketPath: Self.socket(in: directory)), token: nil)
        repeat {
            try await lockUsers(LOCK_SH)
            if flock(owner.raw, LOCK_EX | LOCK_NB) == 0 { return .owner }
            if await pool.isHealthy() { return .guest }
            // It is about to listen, about to leave, or only reads for a moment.
            flock(users.raw, LOCK_UN)
            try await Task.sleep(for: .milliseconds(20))
        } while ContinuousClock.now < deadline
        throw SandpoolError(
            code: "local_busy", message: "another sandpool --local holds \(directory) and does not answer",
            hint: "end it, or look with: fuser -v \(directory)/owner.lock")
    }

    /// Whether no other process uses this pool; from then on nobody can begin to.
    func isAlone() async throws -> Bool { flock(users.raw, LOCK_EX | LOCK_NB) == 0 }

    /// Waits for such a moment and lets it pass.
    func waitUntilAlone() async throws {
        try await lockUsers(LOCK_EX)
        try await lockUsers(LOCK_SH)
    }

    private func lockUsers(_ kind: Int32) async throws {
        if flock(users.raw, kind | LOCK_NB) == 0 { return }
        try await NIOThreadPool.singleton.runIfActive { [users] in
            _ = try systemCall("flock") { flock(users.raw, kind) }
        }
    }

    private static func open(_ path: String) throws -> FileDescriptor {
        do {
            return try FileDescriptor.open(path, O_RDWR | O_CREAT, mode: 0o600)
        } catch {
            throw SandpoolError(
                code: "local_failed", message: "\(error)", hint: "check the directory's owner and the disk")
        }
    }
}
