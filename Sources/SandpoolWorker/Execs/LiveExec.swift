import SandpoolAPI
import SandpoolModel
import SandpoolSandbox

/// Everything the core holds of one exec beside its state machine.
struct LiveExec {
    let id: ExecID
    /// The attempt in whose sandbox it runs.
    let lease: AttemptLease
    var machine = ExecMachine()
    let outcomes: OutcomeBuilder
    /// Between SIGTERM and the kill when it is cancelled.
    let graceMs: UInt64
    var stdout: SpoolFile?
    var stderr: SpoolFile?
    /// `durable` is what the client took: nothing of an exec is stored.
    var cursors = OutputCursors()
    var input = CommandInput()
    /// How its streams lie in the spools.
    let ring: SpoolRing
    /// Bytes of both streams that the spooler was told to need no more.
    private(set) var freed: Int64 = 0

    func spool(_ stream: OutputStreamCode) -> SpoolFile? { stream == .stdout ? stdout : stderr }

    /// What is told in the place of its outcome, where its client did not take the output.
    private(set) var unread: Outcome?

    /// Output that could not be read, in words.
    private(set) var lostOutput: String?

    var outcome: Outcome? {
        guard var outcome = unread ?? machine.end else { return nil }
        if let lostOutput { outcome.add(message: lostOutput) }
        return outcome
    }

    /// A stream ends here, since its spool cannot be read from `offset` on.
    mutating func cut(_ stream: OutputStreamCode, at offset: Int64, _ reason: String) {
        cursors[stream].cut(at: offset)
        lostOutput = "output was lost from byte \(offset) on, as it could not be read: \(reason)"
    }

    /// Drops what was not sent.
    mutating func cutOff(afterMs patience: UInt64) {
        guard machine.end != nil, cursors.unsent > 0 else { return }
        cursors.stdout.cutAtSent()
        cursors.stderr.cutAtSent()
        unread = Outcome(
            cause: .cancelled,
            message: "the command ended, and its output was dropped as nobody read it for \(patience / 1_000) s")
    }

    /// Whether its end can be told now.
    var isFinished: Bool { machine.end != nil && (machine.isLeft || cursors.unsent == 0) }

    /// What the spooler is to be told: how far the client is, or all of it where there is none any more. `nil` while it
    /// would not make much of a difference.
    mutating func takeFreed() -> SpoolProgress? {
        let (stdout, stderr) =
            machine.isLeft
            ? (cursors.stdout.available, cursors.stderr.available) : (cursors.stdout.durable, cursors.stderr.durable)
        let step = machine.isLeft ? 1 : Int64(clamping: ring.backlogBytes / 64)
        guard stdout + stderr - freed >= step else { return nil }
        freed = stdout + stderr
        return SpoolProgress(
            id: id.text, stdoutBytes: UInt64(clamping: stdout), stderrBytes: UInt64(clamping: stderr))
    }

    /// Bytes that may be sent ahead of the client.
    var room: Int { Int(max(0, ExecAssignment.outputWindow - cursors.unacknowledged)) }
}
