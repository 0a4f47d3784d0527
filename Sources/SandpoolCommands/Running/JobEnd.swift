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
        // Every test run leaves something behind, so this is for people and not for logs; `show` has it too.
        if let discarded, isVerbose || StandardError.isTerminal { StandardError.line("sandpool: \(discarded)") }
        if isVerbose, let leftOut { StandardError.line("sandpool: \(leftOut)") }
        return status
    }

    /// One line that names the limits that this host could not keep the job to.
    var leftOut: String? {
        guard let limits = job.attempts.last?.evidence?.leftOutLimits, !limits.isEmpty else { return nil }
        return "not limited on this host: \(limits.joined(separator: ", ")); sandpool doctor says why"
    }

    /// One line that names the mounts whose changes are gone, but for those from which something was fetched.
    var discarded: String? {
        let lost = job.changedMounts.filter { mount in
            !job.spec.downloads.contains { $0 == mount.path || $0.hasPrefix(mount.path + "/") }
        }
        guard let first = lost.first else { return nil }
        let places = lost.map { ($0.isFile ? "to " : "below ") + TerminalText.harmless($0.path, limit: 128) }
        let example = TerminalText.harmless(first.path, limit: 128) + (first.isFile ? "" : "/PATH") + ":PATH"
        return "what was written \(places.joined(separator: ", ")) is gone with the sandbox; keep files with "
            + "--download \(example)"
    }

    /// One line that names any end but a plain exit.
    var line: String? {
        guard let cause = job.cause else { return "the job ended without a cause" }
        if cause == .exited, job.message == nil { return nil }
        return TerminalText.harmless(job.message ?? cause.rawValue)
    }
}

extension Job {
    /// The mounts that the command wrote to in its last attempt.
    var changedMounts: [Mount] {
        let places = attempts.last?.evidence?.changedMounts ?? []
        return places.compactMap { spec.mounts.indices.contains($0) ? spec.mounts[$0] : nil }
    }
}
