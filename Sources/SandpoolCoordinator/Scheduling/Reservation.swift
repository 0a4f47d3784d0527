import SandpoolModel
import SandpoolStore

/// Keeps one starved job from being overtaken for ever: counts how often it was, and holds a worker for it.
struct Reservation: Sendable {
    private var job: JobID?
    private var position: QueuePosition?
    private var passes = 0
    private var worker: WorkerID?

    func passes(of job: QueuedJob) -> Int { job.id == self.job ? passes : 0 }

    /// Whether `worker` is kept for another job.
    func isHeld(_ worker: WorkerID, against job: QueuedJob) -> Bool { self.worker == worker && self.job != job.id }

    /// No worker had room for `job`. The first such job in the queue's order is the one that is watched.
    mutating func passed(over job: QueuedJob) {
        guard job.id != self.job else { return }
        if let position, position < job.position { return }
        self = Reservation()
        self.job = job.id
        position = job.position
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

    /// Drops the watch over a job that left the queue otherwise, such as by being cancelled.
    mutating func keep(only jobs: [QueuedJob]) {
        if let job, !jobs.contains(where: { $0.id == job }) { self = Reservation() }
    }
}
