import SandpoolModel

/// A step of an attempt, as its worker tells it.
public struct ProgressReport: Hashable, Sendable {
    public enum Step: Hashable, Sendable { case preparing, building, started }

    public var lease: LeaseKey
    public var step: Step
    public var at: Timestamp

    public init(lease: LeaseKey, step: Step, at: Timestamp) {
        self.lease = lease
        self.step = step
        self.at = at
    }
}

/// The end of an attempt, as its worker tells it.
public struct ResultReport: Hashable, Sendable {
    public var lease: LeaseKey
    public var outcome: Outcome
    public var evidence: Evidence
    public var startedAt: Timestamp?
    public var finishedAt: Timestamp
    /// Output that no segment file has; at most one for each stream.
    public var tails: [InlineOutput]
    /// `sha256:…` of the archive of the job's downloads.
    public var downloads: String?

    public init(
        lease: LeaseKey, outcome: Outcome, evidence: Evidence, startedAt: Timestamp?, finishedAt: Timestamp,
        tails: [InlineOutput] = [], downloads: String? = nil
    ) {
        self.lease = lease
        self.outcome = outcome
        self.evidence = evidence
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.tails = tails
        self.downloads = downloads
    }
}

/// The end of an attempt that its worker does not tell.
public struct LossReport: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        /// No worker holds it any more, or none will be believed.
        case lost
        /// Another attempt is to take its place. Where the retry policy allows none, it is `lost` after all.
        case superseded
    }

    public var lease: LeaseKey
    public var kind: Kind
    /// Usually `worker_lost`. `commandStarted` is `false` only where that is proved.
    public var outcome: Outcome

    public init(lease: LeaseKey, kind: Kind, outcome: Outcome) {
        self.lease = lease
        self.kind = kind
        self.outcome = outcome
    }
}

/// What became of an attempt's end, and of its job.
public struct EndAnswer: Hashable, Sendable {
    public var verdict: Verdict
    /// What the job became, where `verdict` is `recorded`.
    public var change: JobChange?

    public init(verdict: Verdict, change: JobChange?) {
        self.verdict = verdict
        self.change = change
    }
}

public struct JobChange: Hashable, Sendable {
    public var job: JobID
    public var state: JobState
    /// Where the job is queued again: when it may start, `nil` for at once.
    public var notBefore: Timestamp?

    public init(job: JobID, state: JobState, notBefore: Timestamp? = nil) {
        self.job = job
        self.state = state
        self.notBefore = notBefore
    }
}

/// An attempt that a worker holds.
public struct LiveAttempt: Hashable, Sendable {
    public var lease: LeaseKey
    public var job: JobID
    public var state: AttemptState
    public var resources: Resources
    public var spec: JobSpec
    public var createdAt: Timestamp
    public var startedAt: Timestamp?
    public var unreachableSince: Timestamp?
    public var cancelRequested: Bool
    /// The boot of its worker's host in which it was leased: with another one it has ended.
    public var bootID: String?

    public init(
        lease: LeaseKey, job: JobID, state: AttemptState, resources: Resources, spec: JobSpec,
        createdAt: Timestamp, startedAt: Timestamp?, unreachableSince: Timestamp?, cancelRequested: Bool,
        bootID: String?
    ) {
        self.lease = lease
        self.job = job
        self.state = state
        self.resources = resources
        self.spec = spec
        self.createdAt = createdAt
        self.startedAt = startedAt
        self.unreachableSince = unreachableSince
        self.cancelRequested = cancelRequested
        self.bootID = bootID
    }
}
