import SandpoolModel
import SandpoolStore

/// Finds what can start behind a window full of jobs that cannot.
///
/// It goes through the demands in the queue, a page at a time, and looks at the first job of each; of the demands
/// that fit a worker now, the foremost get a line of jobs to place. So its cost is that of the different demands,
/// whatever the length of the queue, and its memory is bounded by `demands` and `jobs`. It goes on where it was
/// while jobs come and go, so that it gets to its end however busy the queue is.
///
/// The order is the queue's: a job is placed only where no job before it can be missing from the lines.
struct QueueSurvey: Sendable {
    /// Most demands that one survey chooses, and most jobs that are read of all of them together.
    static let demands = 16
    static let jobs = 256

    enum Stage: Hashable, Sendable {
        /// Nothing is known: begin.
        case due
        /// In the middle of the demands.
        case reading(after: String?)
        /// These demands fit; their jobs are to be read.
        case chosen([String])
        /// Done: `lines` is what can be placed. Nothing more is known before something changes.
        case done
    }

    private(set) var stage = Stage.due
    /// Whether something changed since the survey began.
    private var isStale = false
    private var best: [QueuedJob] = []
    /// The first job that was not chosen for want of room in `best`.
    private var firstLeftOut: QueuePosition?
    /// The jobs to place, in the queue's order.
    private var line: [QueuedJob] = []
    /// Behind it jobs may be missing from `line`.
    private var horizon: QueuePosition?
    /// The job that a worker was kept for when the survey began, until it is seen.
    private var unseen: JobID?

    /// That job, where a whole survey did not see it: it has left the queue.
    var missed: JobID? { if case .reading = stage { nil } else { unseen } }

    mutating func change() { isStale = true }

    /// What is to be read next; `nil` while there is nothing to find.
    mutating func advance(page: Int, watched: JobID?) -> SchedulerState.Effect? {
        if stage == .due || (stage == .done && isStale) {
            self = QueueSurvey()
            stage = .reading(after: nil)
            unseen = watched
        }
        switch stage {
        case .reading(let demand): return .survey(after: demand, limit: page)
        case .chosen(let demands): return .draw(demands, limit: Self.jobs / demands.count)
        case .due, .done: return nil
        }
    }

    /// A demand that fits a worker, by its first job.
    mutating func offer(_ job: QueuedJob) {
        best.insert(job, at: best.firstIndex { job.position < $0.position } ?? best.endIndex)
        guard best.count > Self.demands, let last = best.popLast() else { return }
        firstLeftOut = min(firstLeftOut ?? last.position, last.position)
    }

    /// A page has been looked at.
    mutating func finishPage(_ heads: [QueuedJob], isEnd: Bool) {
        if heads.contains(where: { $0.id == unseen }) { unseen = nil }
        if !isEnd, let last = heads.last {
            stage = .reading(after: last.demand)
        } else {
            stage = best.isEmpty ? .done : .chosen(best.map(\.demand))
        }
    }

    /// Takes the first jobs of the chosen demands over, `limit` of each where there are so many.
    mutating func draw(_ lines: [[QueuedJob]], limit: Int) {
        line = lines.joined().sorted { $0.position < $1.position }
        let ends = lines.filter { $0.count >= limit }.compactMap { $0.last?.position }
        horizon = (ends + [firstLeftOut].compactMap(\.self)).min()
        best = []
        stage = .done
    }

    /// The first job whose demand is not excluded, as far as the order is known.
    func first(except excluded: Set<String>) -> QueuedJob? {
        guard let job = line.first(where: { !excluded.contains($0.demand) }) else { return nil }
        if let horizon, horizon < job.position { return nil }
        return job
    }

    /// Takes a job out that was placed: the next survey may find more.
    mutating func remove(_ job: QueuedJob) {
        line.removeAll { $0.id == job.id }
        isStale = true
    }

    /// Drops jobs of a demand that the window has itself.
    mutating func drop(_ isInWindow: (String) -> Bool) { line.removeAll { isInWindow($0.demand) } }
}
