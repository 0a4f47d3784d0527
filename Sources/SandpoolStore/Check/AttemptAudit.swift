import SandpoolModel

/// What is wrong with one attempt by itself.
struct AttemptAudit {
    let findings: [CheckFinding]

    /// What to do about rows that contradict each other: no program can say which of them is right.
    static let restore = "stop the coordinator, keep a copy of the database for a report, restore a backup"

    init(_ attempt: Attempt, of job: AuditedJob) {
        var findings: [CheckFinding] = []
        func find(_ kind: CheckFinding.Kind, _ what: String) {
            findings.append(.init(kind, at: "\(job.id) \(attempt.id)", what, remedy: Self.restore))
        }
        let isOver = attempt.state.isTerminal
        if isOver != (attempt.finishedAt != nil) {
            find(.ending, "is \(attempt.state.rawValue) and has \(isOver ? "no" : "a") moment of its end")
        }
        if !isOver, attempt.outcome != nil { find(.ending, "is \(attempt.state.rawValue) and has an outcome") }
        if attempt.state == .finished, attempt.outcome == nil { find(.ending, "is finished and has no outcome") }
        if attempt.state != .finished, attempt.evidence != nil || attempt.outcome?.exitCode != nil {
            find(.result, "is \(attempt.state.rawValue), and a result is recorded for it")
        }
        if attempt.state == .running, attempt.startedAt == nil { find(.time, "runs and has not started") }
        // Start and end are its worker's words, whose clock may have been set back between them.
        if [attempt.startedAt, attempt.finishedAt].contains(where: { $0.map { $0 < attempt.createdAt } ?? false }) {
            find(.time, "started or ended before it was leased")
        }
        self.findings = findings
    }
}
