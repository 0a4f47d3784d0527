import Sandpool
import SandpoolModel

/// How a finished job becomes this process's last line and code.
struct JobEnd {
    let job: Job
    let isVerbose: Bool

    init(_ job: Job, isVerbose: Bool) {
        self.job = job
        self.isVerbose = isVerbose
    }

    /// Tells the cause where somebody wants to know it, and gives the code to end with.
    func report() -> ExitStatus {
        let status = ExitStatus(code: job.returnCode.map(Int32.init) ?? ExitStatus.sandpoolFailure.code)
        // Without a code of its own, a failure has to be told even to a log file; so has why the command itself
        // could not say anything, which is the one thing that is told of a plain exit.
        if let line, job.returnCode == nil || job.cause == .exited || isVerbose || StandardError.isTerminal {
            StandardError.line("sandpool: \(line)")
        }
        return status
    }

    /// One line that names any end but a plain exit.
    var line: String? {
        guard let cause = job.cause else { return "the job ended without a cause" }
        if cause == .exited, job.message == nil { return nil }
        return TerminalText.harmless(job.message ?? cause.rawValue)
    }
}
