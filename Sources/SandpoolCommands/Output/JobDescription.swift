import SandpoolModel

/// One job in lines for people.
enum JobDescription {
    static func text(_ job: Job) -> String {
        var lines = FieldLines()
        lines.add("id", job.id.text)
        lines.add("name", job.name)
        lines.add("state", job.state.rawValue)
        lines.add("code", job.returnCode.map(String.init))
        lines.add(
            "cause", job.cause.map { cause in job.fault.map { "\(cause.rawValue) (\($0.rawValue))" } ?? cause.rawValue }
        )
        lines.add("message", job.message)
        lines.add("command", CommandText.line(job.command))
        lines.add("image", job.image)
        lines.add("tags", job.tags.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " "))
        lines.add("created", job.createdAt.description)
        lines.add("started", job.startedAt?.description)
        lines.add("finished", job.finishedAt?.description)
        lines.add("discarded", job.changedMounts.map { "changes of \($0.path)" }.joined(separator: ", "))
        for (index, attempt) in job.attempts.enumerated() { lines.add("try \(index + 1)", text(attempt)) }
        return lines.text
    }

    private static func text(_ attempt: Attempt) -> String {
        var parts = ["\(attempt.state.rawValue) on \(attempt.worker.short)"]
        if let evidence = attempt.evidence {
            if let wall = evidence.wallMs { parts.append("wall \(DurationText.format(.milliseconds(wall)))") }
            if let cpu = evidence.cpuMs { parts.append("cpu \(DurationText.format(.milliseconds(cpu)))") }
            if let memory = evidence.peakMemoryBytes { parts.append("memory \(MeasuredSize.text(memory))") }
            parts.append("stdout \(MeasuredSize.text(evidence.stdoutBytes))")
            parts.append("stderr \(MeasuredSize.text(evidence.stderrBytes))")
            if let limits = evidence.leftOutLimits { parts.append("not limited: \(limits.joined(separator: " "))") }
            if evidence.outputTruncated { parts.append("output cut at the limit") }
        }
        if let message = attempt.outcome?.message { parts.append(message) }
        return parts.joined(separator: ", ")
    }
}
