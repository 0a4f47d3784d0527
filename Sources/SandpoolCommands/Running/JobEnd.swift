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
        let status = CommandEnd(returnCode: job.returnCode, cause: job.cause, message: job.message)
            .report(isVerbose: isVerbose)
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
}

extension Job {
    /// The mounts that the command wrote to in its last attempt.
    var changedMounts: [Mount] {
        let places = attempts.last?.evidence?.changedMounts ?? []
        return places.compactMap { spec.mounts.indices.contains($0) ? spec.mounts[$0] : nil }
    }
}
