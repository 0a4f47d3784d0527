import Sandpool
import SandpoolModel

/// How a command that ended, a job's own or a further one, becomes this process's last line and code.
struct CommandEnd {
    let returnCode: Int?
    let cause: Cause?
    let message: String?

    /// Tells the cause where somebody wants to know it, and gives the code to end with.
    func report(isVerbose: Bool) -> ExitStatus {
        let status = ExitStatus(code: returnCode.map(Int32.init) ?? ExitStatus.sandpoolFailure.code)
        // Without a code of its own, a failure has to be told even to a log file; so has why the command itself
        // could not say anything, which is the one thing that is told of a plain exit.
        if let line, returnCode == nil || cause == .exited || isVerbose || StandardError.isTerminal {
            StandardError.line("sandpool: \(line)")
        }
        return status
    }

    /// One line that names any end but a plain exit.
    private var line: String? {
        guard let cause else { return "the job ended without a cause" }
        if cause == .exited, message == nil { return nil }
        return TerminalText.harmless(message ?? cause.rawValue)
    }
}
