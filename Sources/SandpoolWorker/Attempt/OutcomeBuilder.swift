import SandpoolAPI
import SandpoolModel
import SandpoolSandbox

/// Turns what the launcher saw into what the user is told: the table of causes.
struct OutcomeBuilder: Sendable {
    /// What of the spec the messages quote.
    var memoryBytes: Int64?
    var diskBytes: Int64?
    var outputBytes: Int64?
    var timeoutSeconds: Double?
    var idleTimeoutSeconds: Double?

    init() {}

    init(_ spec: JobSpec) {
        memoryBytes = spec.resources.memoryBytes
        diskBytes = spec.resources.diskBytes
        outputBytes = spec.resources.outputBytes
        timeoutSeconds = spec.timeoutSeconds
        idleTimeoutSeconds = spec.idleTimeoutSeconds
    }

    init(_ record: AttemptRecord) {
        memoryBytes = record.memoryBytes
        diskBytes = record.diskBytes
        outputBytes = record.outputBytes
        timeoutSeconds = record.timeoutSeconds
        idleTimeoutSeconds = record.idleTimeoutSeconds
    }

    /// The outcome of a sandbox that ran and is gone.
    ///
    /// - Parameter commandStarted: whether the launcher said `started`.
    func outcome(of report: ExitReport, commandStarted: Bool = true) -> Outcome {
        var outcome = ended(report)
        outcome.commandStarted = commandStarted
        switch report.end {
        case .exited(let code): outcome.exitCode = Int(code)
        case .signaled(let signal): outcome.signal = Int(signal)
        case .killed: break
        }
        var notes = [outcome.message].compactMap(\.self)
        if report.networkInterruptions > 0 {
            let count = report.networkInterruptions == 1 ? "once" : "\(report.networkInterruptions) times"
            let loss =
                report.networkLost
                ? " and did not come back: from the last time on nothing was reached"
                : "; connections of that moment were lost"
            notes.append("network: it ended \(count) while the command ran\(loss)")
        }
        if report.hostDiskFull, outcome.jobState == .failed {
            notes.append("disk: the host's disk was full before the limit of the job's own was reached")
        }
        if !report.downloadMessage.isEmpty { notes.append("downloads: \(report.downloadMessage)") }
        if !notes.isEmpty { outcome.message = notes.joined(separator: "; ") }
        return outcome
    }

    /// The outcome of a further command in a sandbox.
    func outcome(ofExec report: ExitReport) -> Outcome {
        if report.oomKills == 0, report.reason == .none, report.end == .killed {
            // Nobody reaped it because its sandbox went: that is an end by force, and no code of its own.
            return Outcome(cause: .cancelled, message: "the job ended while the command ran, and its sandbox with it")
        }
        var outcome = outcome(of: report)
        // It has no evidence to say this in.
        if report.outputTruncated, outcome.message == nil {
            outcome.message = cutOutput(report)
        }
        return outcome
    }

    /// What is cut at its limit has reached it; a disk that is full cuts before.
    private func cutOutput(_ report: ExitReport) -> String {
        guard let outputBytes, max(report.stdoutBytes, report.stderrBytes) >= UInt64(clamping: outputBytes) else {
            return "a stream was cut, as the worker could not keep more of it"
        }
        return "a stream was cut at its limit of \(Self.size(outputBytes)); run the job with a higher --output-limit"
    }

    private func ended(_ report: ExitReport) -> Outcome {
        // A main process can exit 0 although its child was killed: any OOM kill names the cause.
        if report.oomKills > 0 {
            return Outcome(cause: .oom, message: outOfMemory)
        }
        switch report.reason {
        case .timeout:
            return Outcome(
                cause: .timeout, message: "timeout: ran for \(seconds(timeoutSeconds)), try a longer --timeout")
        case .idleTimeout:
            return Outcome(
                cause: .idleTimeout,
                message: "idle_timeout: no output for \(seconds(idleTimeoutSeconds)), try a longer --idle-timeout")
        case .cancelled:
            return Outcome(cause: .cancelled, message: "cancelled while it ran")
        case .outputLimit:
            return Outcome(cause: .outputLimit, message: tooMuchOutput(report))
        case .none:
            break
        }
        switch report.end {
        case .exited(let code) where code != 0 && report.diskFull:
            return Outcome(cause: .diskLimit, message: diskFull(report))
        case .signaled where report.diskFull: return Outcome(cause: .diskLimit, message: diskFull(report))
        case .exited: return Outcome(cause: .exited)
        case .signaled(let signal): return Outcome(cause: .signaled, message: "ended by signal \(signal)")
        case .killed:
            // Nobody reaped the command and nobody asked for its end: an exit code would be an invention.
            return Outcome(
                cause: .workerLost,
                message: "the sandbox was killed from outside, so how it would have ended is unknown")
        }
    }

    /// The outcome of a command that was not exec'd.
    func outcome(of failure: SandboxFailure, isCancelled: Bool) -> Outcome {
        if isCancelled { return .cancelledBeforeStart }
        switch failure.kind {
        case .commandNotFound:
            return Outcome(
                cause: .exited, exitCode: 127, message: failure.message, commandStarted: false, isRetryable: false)
        case .commandNotExecutable:
            return Outcome(
                cause: .exited, exitCode: 126, message: failure.message, commandStarted: false, isRetryable: false)
        case .spec:
            return Outcome(
                cause: .setupFailed, message: Self.line(failure), commandStarted: false, isRetryable: false)
        case .setup:
            return Outcome(cause: .setupFailed, message: Self.line(failure), commandStarted: false)
        case .memory: return Outcome(cause: .oom, message: fullMemory, commandStarted: false)
        }
    }

    private var outOfMemory: String {
        guard let memoryBytes else { return "oom: the memory limit was reached, try more --memory" }
        return "oom: limit \(Self.size(memoryBytes)), try --memory \(Self.size(memoryBytes * 2))"
    }

    /// Of a further command that could not begin.
    private var fullMemory: String {
        let limit = memoryBytes.map { " of \(Self.size($0))" } ?? ""
        let more = memoryBytes.map { " \(Self.size($0 * 2))" } ?? ""
        return "oom: the sandbox's memory\(limit) was full before the command began; end a command in it or remove "
            + "files from /tmp, or run the job with --memory\(more)"
    }

    /// Files have a limit that follows from the size.
    private func diskFull(_ report: ExitReport) -> String {
        let what = report.inodesFull ? "\(report.inodes) files and directories, the most for" : "limit"
        guard let diskBytes else { return "disk_limit: the writable layer was full, try more --disk" }
        let (twice, overflow) = diskBytes.multipliedReportingOverflow(by: 2)
        return "disk_limit: \(what) \(Self.size(diskBytes)), try --disk \(Self.size(overflow ? .max : twice))"
    }

    private func tooMuchOutput(_ report: ExitReport) -> String {
        guard let outputBytes else { return "output_limit: a stream was over its limit, try more --output-limit" }
        let stream = report.stdoutBytes > UInt64(clamping: outputBytes) ? "stdout" : "stderr"
        let more = Self.size(outputBytes.addingReportingOverflow(outputBytes).partialValue)
        return "output_limit: \(stream) was over its limit of \(Self.size(outputBytes)), "
            + "try --output-limit \(more) or --on-output-limit truncate"
    }

    private func seconds(_ value: Double?) -> String {
        guard let value else { return "its limit" }
        return value == value.rounded() && value < 1e15 ? "\(Int64(value)) s" : "\(value) s"
    }

    private static func line(_ failure: SandboxFailure) -> String {
        failure.stage.isEmpty ? failure.message : "\(failure.stage): \(failure.message)"
    }

    /// `1GiB`, `512MiB` or plain bytes, as the command line takes them.
    static func size(_ bytes: Int64) -> String {
        for (unit, name) in [(Int64(1) << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")]
        where bytes >= unit && bytes % unit == 0 {
            return "\(bytes / unit)\(name)"
        }
        return "\(bytes)B"
    }
}

extension Outcome {
    /// Says something more to people, within what the coordinator takes.
    mutating func add(message more: String) {
        let text = message.map { "\($0); \(more)" } ?? more
        message = TerminalText.harmless(text, limit: WorkerState.Limits.messageScalars)
    }

    static let cancelledBeforeStart = Outcome(
        cause: .cancelled, message: "cancelled before it started", commandStarted: false)

    /// The launcher ended, and with it every sandbox.
    static func launcherLost(commandStarted: Bool) -> Outcome {
        Outcome(
            cause: .workerLost, message: "the launcher of this host ended, and its sandboxes with it",
            commandStarted: commandStarted)
    }

    /// Word to or from a launcher that lives was lost, and it has nothing of the attempt.
    package static let neverAsked = Outcome(
        cause: .workerLost, message: "the worker was interrupted before the launcher had made the sandbox",
        commandStarted: false)

    static let hostRestarted = Outcome(cause: .workerLost, message: "the host restarted while it ran")
}

extension Evidence {
    init(_ report: ExitReport, hostFingerprint: String?) {
        self.init()
        reapedBy = if case .killed = report.end { "launcher" } else { "init" }
        wallMs = Int64(clamping: report.wallMs)
        cpuMs = Int64(clamping: report.cpuMs)
        peakMemoryBytes = Int64(clamping: report.peakMemoryBytes)
        oomKills = Int64(clamping: report.oomKills)
        if report.leftOutLimits {
            leftOutLimits = Evidence.namesOfLimits
            (cpuMs, peakMemoryBytes, oomKills) = (nil, nil, nil)
        }
        stdoutBytes = Int64(clamping: report.stdoutBytes)
        stderrBytes = Int64(clamping: report.stderrBytes)
        outputTruncated = report.outputTruncated
        diskBytes = Int64(clamping: report.diskBytes)
        inodes = Int64(clamping: report.inodes)
        writableLayer =
            switch report.writableLayer {
            case .tmpfs: "tmpfs"
            case .loop: "loop"
            case .projectQuota: "project_quota"
            }
        timer =
            switch report.reason {
            case .timeout: "timeout"
            case .idleTimeout: "idle_timeout"
            case .none, .cancelled, .outputLimit: nil
            }
        stalledMs = Int64(clamping: report.stalledMs)
        stagesMs["setup"] = Int64(clamping: report.setupMicros / 1_000)
        self.hostFingerprint = hostFingerprint
        let changed = (0..<UInt64.bitWidth).filter { report.changedMounts >> UInt64($0) & 1 == 1 }
        changedMounts = changed.isEmpty ? nil : changed
        if report.networkInterruptions > 0 { networkInterruptions = Int64(report.networkInterruptions) }
    }
}
