import SandpoolModel
import SandpoolStore

/// What decides where a job can run: two jobs of one shape fit the same places.
struct QueueShape: Hashable, Sendable {
    var resources: Resources
    var require: [String: String]
    var image: String?
    var triedWorkers: [WorkerID]

    init(_ job: QueuedJob) {
        resources = job.resources
        require = job.require
        image = job.image
        triedWorkers = job.triedWorkers
    }
}

/// The part of the queue that the scheduler looks at: from its head on, in order within each shape, so that
/// one job that fits nowhere stands for all of its kind.
struct QueueWindow: Sendable {
    /// Whether the queue changed since the head was read.
    var isStale = true
    private var lines: [QueueShape: Line] = [:]
    private(set) var count = 0
    /// Where the next page begins; `nil` when the window reaches the end of the queue.
    private(set) var next: QueuePosition?

    /// The jobs of one shape, taken from the front without moving the rest.
    private struct Line: Sendable {
        var jobs: [QueuedJob]
        var start = 0
        var first: QueuedJob? { start < jobs.count ? jobs[start] : nil }
    }

    /// Takes a page over: as the whole window, or at its end.
    mutating func replace(after position: QueuePosition?, with jobs: [QueuedJob], isEnd: Bool) {
        if position == nil {
            lines = [:]
            count = 0
            isStale = false
        }
        for job in jobs { lines[QueueShape(job), default: Line(jobs: [])].jobs.append(job) }
        count += jobs.count
        next = isEnd ? nil : jobs.last?.position
    }

    /// The first job in the queue's order whose shape is not excluded.
    func first(except excluded: Set<QueueShape>) -> QueuedJob? {
        var best: QueuedJob?
        for (shape, line) in lines where !excluded.contains(shape) {
            guard let job = line.first else { continue }
            if let found = best, found.position < job.position { continue }
            best = job
        }
        return best
    }

    /// Takes out the first job of its shape.
    mutating func remove(_ job: QueuedJob) {
        let shape = QueueShape(job)
        guard var line = lines.removeValue(forKey: shape) else { return }
        line.start += 1
        count -= 1
        if line.first != nil { lines[shape] = line }
    }
}
