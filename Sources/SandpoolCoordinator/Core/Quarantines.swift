import SandpoolModel
import SandpoolStore

/// Which workers cannot set sandboxes up (Docs/decisions/0032).
///
/// Each worker counts the jobs that it failed to set up since one last got as far as its command there. A job that
/// failed on every worker that tried it, and was given up, says something of itself and nothing of them. With so many
/// jobs against it a worker gets no more. After a back-off one job tries it: where that comes as far as its command the
/// quarantine is over, where its set-up fails it lasts twice as long.
struct Quarantines: Sendable {
    struct Held: Sendable {
        var quarantine: Quarantine
        /// When a job may try the worker, by the uptime clock.
        var trialAt: Duration
        /// Since when one may.
        var openedAt: Duration?

        var admission: WorkerOffer.Admission { openedAt == nil ? .none : .trial }
    }

    /// What an attempt's end says of its worker.
    enum Sign: Hashable, Sendable {
        /// It set a sandbox up.
        case works
        case fails(String)

        /// `nil` where it says nothing: the spec could not work anywhere, its recipe failed, nothing was tried, or what
        /// became of it is not known.
        init?(_ outcome: Outcome) {
            switch outcome.cause {
            case .setupFailed, .fetchFailed:
                guard outcome.isRetryable, !outcome.commandStarted else { return nil }
                self = .fails(outcome.message ?? outcome.cause.rawValue)
            case .workerLost, .preempted, .queueTimeout, .buildFailed: return nil
            // 126 and 127 say that all was there but the command.
            default:
                guard outcome.commandStarted || outcome.cause == .exited else { return nil }
                self = .works
            }
        }
    }

    /// Workers whose quarantine the store does not have as it is here.
    var unsaved: Set<WorkerID> = []
    /// The one that the outstanding call is about.
    var saving: WorkerID?
    private(set) var held: [WorkerID: Held] = [:]
    /// Jobs whose set-up failed, oldest first: no more of a worker than it takes for a quarantine.
    private var failures: [WorkerID: [JobID]] = [:]

    func count(of worker: WorkerID) -> Int { failures[worker]?.count ?? 0 }

    mutating func hold(_ worker: WorkerID, _ held: Held) { self.held[worker] = held }

    /// Lets a job try those whose time has come.
    ///
    /// - Returns: these.
    mutating func open(at uptime: Duration) -> [WorkerID] {
        let due = held.filter { $0.value.openedAt == nil && $0.value.trialAt <= uptime }.keys.sorted()
        for worker in due { held[worker]?.openedAt = uptime }
        return due
    }

    /// When the next may be tried.
    var nextTrial: Duration? { held.values.filter { $0.openedAt == nil }.map(\.trialAt).min() }

    /// Counts a failure. One of a job that is counted already is none, and what comes after `limit` changes nothing:
    /// what a quarantine began with is what it rests on.
    ///
    /// - Returns: whether it was counted.
    mutating func noteFailure(of job: JobID, on worker: WorkerID, limit: Int) -> Bool {
        guard count(of: worker) < limit, failures[worker]?.contains(job) != true else { return false }
        failures[worker, default: []].append(job)
        return true
    }

    /// The job was given up. Where several workers failed it, none of them is to blame.
    ///
    /// - Returns: those that had `limit` jobs against them and have fewer now.
    mutating func excuse(_ job: JobID, limit: Int) -> [WorkerID] {
        let workers = failures.filter { $0.value.contains(job) }.keys.sorted()
        guard workers.count > 1 else { return [] }
        let full = workers.filter { count(of: $0) >= limit }
        for worker in workers { failures[worker]?.removeAll { $0 == job } }
        return full
    }

    /// Nothing is held against a worker any more; the quarantine that this ends.
    mutating func clear(_ worker: WorkerID) -> Held? {
        failures[worker] = nil
        return held.removeValue(forKey: worker)
    }
}
