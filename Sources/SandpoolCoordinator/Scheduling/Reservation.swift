import SandpoolModel
import SandpoolStore

/// Keeps one starved job from being overtaken for ever: counts how often it was, and holds a worker for it.
struct Reservation: Sendable {
    private(set) var job: JobID?
    private var position: QueuePosition?
    private var passes = 0
    private var worker: WorkerID?

    func passes(of job: QueuedJob) -> Int { job.id == self.job ? passes : 0 }

    /// Whether `worker` is kept for another job.
    func isHeld(_ worker: WorkerID, against job: QueuedJob) -> Bool { self.worker == worker && self.job != job.id }

    /// The worker that is kept for a job.
    func worker(for job: QueuedJob) -> WorkerID? { job.id == self.job ? worker : nil }

    /// No worker had room for `job`. The first such job in the queue's order is the one that is watched; it takes
    /// over what was counted, so that a stream of more urgent ones does not start the count again and again.
    mutating func passed(over job: QueuedJob) {
        guard job.id != self.job else { return }
        if let position, position < job.position { return }
        self.job = job.id
        position = job.position
        worker = nil
    }

    /// A job was placed: the watched one, or one that overtook it.
    mutating func placed(_ job: QueuedJob) {
        if job.id == self.job {
            self = Reservation()
        } else if let position, position < job.position {
            passes += 1
        }
    }

    mutating func hold(_ worker: WorkerID, for job: QueuedJob) {
        guard job.id == self.job else { return }
        self.worker = worker
    }

    /// The job left the queue, or no connected worker takes it any more: nothing is kept for it. Whether it was
    /// the one watched.
    mutating func abandon(_ job: JobID) -> Bool {
        guard job == self.job else { return false }
        self = Reservation()
        return true
    }

    /// Drops the watch over a job that left the queue otherwise, such as by being cancelled: a page of the queue
    /// covers its place and does not show it.
    mutating func check(against jobs: [QueuedJob], after start: QueuePosition?, isEnd: Bool) {
        guard let job, let position else { return }
        if let start, position <= start { return }
        if !isEnd, let last = jobs.last, last.position < position { return }
        if !jobs.contains(where: { $0.id == job }) { self = Reservation() }
    }
}
