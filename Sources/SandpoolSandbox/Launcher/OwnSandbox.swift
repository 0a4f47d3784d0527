import LinuxSystem

/// How one of the launcher's own sandboxes ended.
enum JobEnd {
    case failed(SandboxFailure)
    case ended(ExitReport, output: SpoolFile, error: SpoolFile)

    /// Nil when it did what it should, else a line for people: the last that it wrote on standard error.
    var trouble: String? {
        switch self {
        case .failed(let failure): return failure.message
        case .ended(let report, _, let error):
            if report.end == .exited(code: 0) { return nil }
            let text = error.text
            if let line = text.split(separator: "\n").first { return String(line.prefix(500)) }
            switch report.end {
            case .exited(let code): return "exit code \(code)"
            case .signaled(let signal): return "signal \(signal)"
            case .killed: return report.reason == .timeout ? "it took too long" : "it was killed"
            }
        }
    }
}

/// Plans of the sandboxes that work on what nobody trusts in the launcher's place, with the host's own tar.
enum OwnSandbox {
    static func plan(
        id: String, script: String, arguments: [String] = [], timeoutMs: UInt64
    ) -> SandboxPlan {
        SandboxPlan(
            id: id, arguments: ["/bin/sh", "-c", script, "sandpool"] + arguments,
            environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"], workingDirectory: "/", user: "0",
            hostname: "sandpool", root: .host, mounts: [],
            limits: SandboxPlan.Limits(
                memoryBytes: 1 << 30, cpuMillis: 2_000, pids: 64, diskBytes: 64 << 20, outputBytes: 64 << 10),
            timers: SandboxPlan.Timers(timeoutMs: timeoutMs, graceMs: 1_000, idleMs: 0), network: .blocked,
            capabilities: .build, stdin: .none, downloads: [], leavesOutLimits: true)
    }
}
