import SandpoolAPI
import SandpoolModel
import SandpoolSandbox

/// Everything that is held of one attempt beside its state machine. What it has open is the driver's.
struct LiveAttempt: Sendable {
    let lease: AttemptLease
    /// `nil` for a result of an earlier run whose record is gone.
    let job: JobID?
    var machine: AttemptMachine
    let outcomes: OutcomeBuilder
    /// Between SIGTERM and the kill when it is cancelled.
    let graceMs: UInt64
    /// Whether another attempt may run in its place although this one may still run.
    let isRerunSafe: Bool
    /// The spec, until the sandbox was asked for; nothing after that needs it.
    var assignment: Assignment?
    /// What the image was resolved to.
    var root: SandboxPlan.Root?
    var usesHostImage = false
    /// Layers that must not be removed while the sandbox exists.
    var layers: [String] = []
    /// CLOCK_BOOTTIME in milliseconds, as `launchedMs`.
    var receivedMs: Int64
    /// When this process asked for the sandbox.
    var launchedMs: Int64?
    /// The launcher that it was asked of.
    var launcher: String?
    var startedAt: Timestamp?

    /// Whether the spools can be read.
    var hasSpools = false
    var cursors = OutputCursors()
    /// Whether output goes out in frames. Until then it may still ride inside the result.
    var isOutputOpen = false
    var isOutputTimerSet = false
    /// Whether the coordinator waits for the attempt's end, and so for its output.
    var isOutputWanted = true

    /// Whether an archive of downloads is made.
    var hasDownloads = false
    var downloadsDigest: String?
    /// What went wrong with their upload.
    var collectMessage: String?

    /// Output that could not be read, in words.
    var lostOutput: String?

    /// Whether the journal was asked for and has not answered.
    var isJournaling = false
    /// What of each stream rides inside the result that is on its way to the journal.
    var tails: (stdout: Range<Int64>?, stderr: Range<Int64>?) = (nil, nil)
    /// The result, once it is in the journal.
    var result: AttemptResult?
    var isResultSent = false

    init(
        lease: AttemptLease, job: JobID? = nil, machine: AttemptMachine = AttemptMachine(),
        outcomes: OutcomeBuilder = OutcomeBuilder(), graceMs: UInt64 = 0, isRerunSafe: Bool = false,
        assignment: Assignment? = nil, receivedMs: Int64
    ) {
        self.lease = lease
        self.job = job
        self.machine = machine
        self.outcomes = outcomes
        self.graceMs = graceMs
        self.isRerunSafe = isRerunSafe
        self.assignment = assignment
        self.receivedMs = receivedMs
    }

    var id: AttemptID { lease.attempt }

    /// Whether everything is there for a start that the launcher was not asked for yet.
    var isWaiting: Bool { assignment != nil && root != nil }

    /// Whether it has to be ended when another attempt may run in its place.
    var isAtStake: Bool { isRerunSafe && (machine.phase == .preparing || machine.isActive) && !machine.isAbandoned }

    /// After a restart only the spools themselves say how much output there is. A journaled result says it too,
    /// and carries the bytes from its tails on.
    mutating func grow(to spools: SpoolSizes) {
        let ends = (
            stdout: result?.stdoutTail?.offset ?? tails.stdout?.lowerBound ?? .max,
            stderr: result?.stderrTail?.offset ?? tails.stderr?.lowerBound ?? .max
        )
        cursors.stdout.grow(to: min(spools.stdout, ends.stdout))
        cursors.stderr.grow(to: min(spools.stderr, ends.stderr))
    }

    func cursors(grownTo report: ExitReport) -> OutputCursors {
        // Without spools there is nothing that could be sent.
        guard hasSpools else { return OutputCursors() }
        var cursors = cursors
        cursors.stdout.grow(to: Int64(clamping: report.stdoutBytes))
        cursors.stderr.grow(to: Int64(clamping: report.stderrBytes))
        return cursors
    }

    /// Lets what is left of the output ride inside the result, if it is little: frames carry nothing of it.
    mutating func cutTails() {
        guard cursors.fitsInline else { return }
        tails = (cursors.stdout.cutTail(), cursors.stderr.cutTail())
    }

    /// What no result carries after all goes up in frames.
    mutating func takeBackTails(stdout: Bool, stderr: Bool) {
        if stdout, let tail = tails.stdout { cursors.stdout.grow(to: tail.upperBound) }
        if stderr, let tail = tails.stderr { cursors.stderr.grow(to: tail.upperBound) }
        tails = (nil, nil)
    }

    /// A stream ends here, since its spool cannot be read from `offset` on: no frame and no result carries more of it.
    mutating func cut(_ stream: OutputStreamCode, at offset: Int64, _ reason: String) {
        cursors[stream].cut(at: offset)
        let name = stream == .stdout ? "stdout" : "stderr"
        let loss = "\(name) was lost from byte \(cursors[stream].available) on, as it could not be read: \(reason)"
        lostOutput = lostOutput.map { "\($0); \(loss)" } ?? loss
        // It was among what was to go along with the bytes that could not be read.
        isResultSent = false
        result?.outcome.add(message: loss)
        dropCutTails()
    }

    /// A tail would leave a gap before it.
    mutating func dropCutTails() {
        if cursors.stdout.isCut {
            tails.stdout = nil
            result?.stdoutTail = nil
        }
        if cursors.stderr.isCut {
            tails.stderr = nil
            result?.stderrTail = nil
        }
    }

    /// Whether the result can go up now: it is safe here, and every byte before it was sent that is wanted.
    var isResultReady: Bool {
        machine.phase == .reporting && result != nil && !isResultSent && (cursors.unsent == 0 || !isOutputWanted)
    }

    /// A new session begins: frames go on from what the coordinator has.
    ///
    /// - Parameter kept: what of it is durable there; `nil` where it does not wait for the attempt's end. If that has
    ///   come, the coordinator has recorded one: it takes no output any more and would acknowledge none, which would
    ///   hold up that of all others.
    mutating func resumeOutput(at kept: HeldAttempt?) {
        isOutputWanted = kept != nil || !machine.attemptState.isTerminal
        isResultSent = false
        cursors.stdout.resume(at: kept?.stdoutBytes ?? cursors.stdout.durable)
        cursors.stderr.resume(at: kept?.stderrBytes ?? cursors.stderr.durable)
        guard let kept else { return }
        // The journal has outlived the spools, or a part of them. A tail that does not follow on what is there, or will
        // be, would never be taken; the coordinator says what is missing.
        let ends = (
            stdout: max(kept.stdoutBytes, hasSpools ? cursors.stdout.available : 0),
            stderr: max(kept.stderrBytes, hasSpools ? cursors.stderr.available : 0)
        )
        if result?.stdoutTail?.offset ?? 0 > ends.stdout { result?.stdoutTail = nil }
        if result?.stderrTail?.offset ?? 0 > ends.stderr { result?.stderrTail = nil }
    }
}

/// Bytes that the spools of an attempt hold.
package struct SpoolSizes: Hashable, Sendable {
    package var stdout: Int64
    package var stderr: Int64

    package init(stdout: Int64 = 0, stderr: Int64 = 0) {
        self.stdout = stdout
        self.stderr = stderr
    }
}
