import SandpoolModel
import SandpoolStore

/// What a store without a disk holds: a value whose methods return at once. The simulator calls it as it is, with a
/// disk of its own around it; `MemoryJobStore` makes a `JobStore` of it, held to the same conformance suite as the
/// real one.
package struct MemoryStore: Sendable {
    var jobs: [JobID: MemoryJob] = [:]
    /// Ids in the order of submission; a job's sequence is its place here plus one.
    var order: [JobID] = []
    var attempts: [AttemptID: MemoryAttempt] = [:]
    var enrolled: [WorkerID: WorkerRecord] = [:]
    /// The tokens that workers enrolled with.
    var owners: [WorkerID: TokenID] = [:]
    var issued: [TokenRecord] = []

    package init() {}
}

struct MemoryJob {
    let sequence: Int64
    let new: NewJob
    let createdAt: Timestamp
    var state = JobState.queued
    var epoch: Int64 = 0
    var counts = RetryCounts()
    var queueDeadline: Timestamp?
    var notBefore: Timestamp?
    var isCancelRequested = false
    var startedAt: Timestamp?
    var finishedAt: Timestamp?
    var outcome: Outcome?
    var attempts: [AttemptID] = []

    var position: QueuePosition { QueuePosition(priority: new.spec.priority, sequence: sequence) }
    var demand: String {
        let require = new.spec.require.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        return "\(new.resources) \(require) \(new.spec.image ?? "")"
    }
    var isClaimable: Bool { state == .queued && notBefore == nil }

    mutating func finish(_ outcome: Outcome, at moment: Timestamp) {
        state = outcome.jobState
        self.outcome = outcome
        notBefore = nil
        finishedAt = moment
    }
}

struct MemoryAttempt {
    let lease: LeaseKey
    let job: JobID
    let createdAt: Timestamp
    let bootID: String
    var state = AttemptState.leased
    var startedAt: Timestamp?
    var finishedAt: Timestamp?
    var unreachableSince: Timestamp?
    var outcome: Outcome?
    var evidence: Evidence?
    var downloads: String?
    var tails: [InlineOutput] = []
}
