import SandpoolModel
import Synchronization

/// A command in a sandbox, as a handle on a job of a pool.
///
/// The handle holds nothing that the pool does not: it can be dropped while the command runs, and taken up again
/// elsewhere with `attach`.
///
/// ```swift
/// let sandbox = try await Sandbox.create("cd /repo && pytest .", mounts: [".": "/repo"], blockNetwork: true)
/// for try await line in sandbox.stdout.lines { print(line) }
/// let code = try await sandbox.wait()
/// ```
public final class Sandbox: Sendable {
    public let id: JobID
    public let pool: Pool
    /// The command's standard input; open only where `create` was told so.
    public let stdin: SandboxInput
    public let stdout: SandboxOutput
    public let stderr: SandboxOutput

    private let latest: Mutex<Job>

    init(_ job: Job, in pool: Pool) {
        id = job.id
        self.pool = pool
        latest = Mutex(job)
        stdin = SandboxInput(job.id, in: pool)
        stdout = SandboxOutput(job.id, .stdout, in: pool)
        stderr = SandboxOutput(job.id, .stderr, in: pool)
    }

    /// Takes up a sandbox by id, name, unique end of an id, or `@last`.
    public static func attach(_ reference: String, in pool: Pool? = nil) async throws -> Sandbox {
        let pool = try pool ?? Pool.fromEnvironment()
        return Sandbox(try await pool.job(reference), in: pool)
    }

    /// The job as this handle saw it last.
    public var job: Job { latest.withLock { $0 } }

    /// The code of the command as a shell would report it, as this handle saw it last; `nil` while it is not
    /// known to be finished, and for good where Sandpool could not run the command.
    public var returnCode: Int? { job.returnCode }

    /// Asks how the sandbox stands now.
    @discardableResult
    public func poll() async throws -> Job { note(try await pool.job(id.text)) }

    /// Waits for the end of the command.
    ///
    /// - Returns: its code. A command that fails is no error.
    /// - Throws: `SandpoolError` whose code is the cause, such as `worker_lost`, where there is no code.
    @discardableResult
    public func wait() async throws -> Int {
        let job = job.state.isTerminal ? job : note(try await pool.wait(for: id.text))
        guard let code = job.returnCode else {
            throw SandpoolError(
                code: job.cause?.rawValue ?? "errored", message: job.message ?? "the sandbox could not be run")
        }
        return code
    }

    /// Ends the command: SIGTERM, its grace, then everything in the sandbox is killed. Answers at once; `wait`
    /// tells when it is over.
    public func terminate() async throws { note(try await pool.cancel(id.text)) }

    /// Sends a signal to the command.
    public func signal(_ signal: Int) async throws { try await pool.signal(id.text, signal) }

    @discardableResult
    private func note(_ job: Job) -> Job {
        latest.withLock { $0 = job }
        return job
    }
}
