import LinuxSystem
import SandpoolAPI
import SandpoolModel
import SandpoolSandbox

/// Everything the core holds of one attempt beside its state machine.
struct LiveAttempt {
    let lease: AttemptLease
    /// `nil` for a result of an earlier run whose record is gone.
    let job: JobID?
    var machine: AttemptMachine
    let outcomes: OutcomeBuilder
    /// Between SIGTERM and the kill when it is cancelled.
    let graceMs: UInt64
    /// The spec, until the sandbox was asked for; nothing after that needs it.
    var assignment: Assignment?
    /// What the image was resolved to.
    var root: SandboxPlan.Root?
    var usesHostImage = false
    /// Layers that must not be removed while the sandbox exists.
    var layers: [String] = []
    var receivedMs: UInt64
    var launchedMs: UInt64?
    var startedAt: Timestamp?

    var stdout: SpoolFile?
    var stderr: SpoolFile?
    var cursors = OutputCursors()
    /// Whether output goes out in frames. Until then it may still ride inside the result.
    var isOutputOpen = false
    var isOutputTimerSet = false

    var input = CommandInput()

    /// The file that receives the downloads' archive.
    var downloadsPath: String?
    var downloadsDigest: String?
    /// What went wrong with their upload.
    var collectMessage: String?

    /// The result, once it is in the journal.
    var result: AttemptResult?
    var isResultSent = false

    var id: AttemptID { lease.attempt }

    /// After a restart only the spools themselves say how much output there is. A journaled result says it too,
    /// and carries the bytes from its tails on.
    mutating func growToSpools() {
        cursors.stdout.grow(to: min(stdout?.size ?? 0, result?.stdoutTail?.offset ?? .max))
        cursors.stderr.grow(to: min(stderr?.size ?? 0, result?.stderrTail?.offset ?? .max))
    }

    var hasSpools: Bool { stdout != nil && stderr != nil }

    func spool(_ stream: OutputStreamCode) -> SpoolFile? { stream == .stdout ? stdout : stderr }

    /// Whether the result can go up now: it is safe here, and every byte before it was sent.
    var isResultReady: Bool {
        machine.phase == .reporting && result != nil && !isResultSent && cursors.unsent == 0
    }
}
