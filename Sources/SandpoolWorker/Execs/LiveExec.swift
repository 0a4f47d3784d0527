import SandpoolAPI
import SandpoolModel

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

    func spool(_ stream: OutputStreamCode) -> SpoolFile? { stream == .stdout ? stdout : stderr }

    /// What is told in the place of its outcome, where its client did not take the output.
    private(set) var unread: Outcome?

    var outcome: Outcome? { unread ?? machine.end }

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

    /// Bytes that may be sent ahead of the client.
    var room: Int { Int(max(0, ExecAssignment.outputWindow - cursors.unacknowledged)) }
}
