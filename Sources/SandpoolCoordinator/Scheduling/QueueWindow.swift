import SandpoolModel
import SandpoolStore

/// The part of the queue that the scheduler looks at first: from its head on, in order within each demand, so
/// that one job that fits nowhere stands for all of its kind. What is behind it is `QueueSurvey`'s.
struct QueueWindow: Sendable {
    /// Whether the queue changed since the head was read.
    var isStale = true
    private var lines: [String: Line] = [:]
    private(set) var count = 0
    /// Where the next page begins; `nil` when the window reaches the end of the queue.
    private(set) var next: QueuePosition?

    /// The jobs of one demand, taken from the front without moving the rest.
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
        for job in jobs { lines[job.demand, default: Line(jobs: [])].jobs.append(job) }
        count += jobs.count
        next = isEnd ? nil : jobs.last?.position
    }

    func holds(_ demand: String) -> Bool { lines[demand] != nil }

    /// The first job in the queue's order whose demand is not excluded.
    func first(except excluded: Set<String>) -> QueuedJob? {
        var best: QueuedJob?
        for (demand, line) in lines where !excluded.contains(demand) {
            guard let job = line.first else { continue }
            if let found = best, found.position < job.position { continue }
            best = job
        }
        return best
    }

    /// Takes out the first job of its demand.
    mutating func remove(_ job: QueuedJob) {
        guard var line = lines.removeValue(forKey: job.demand) else { return }
        line.start += 1
        count -= 1
        if line.first != nil { lines[job.demand] = line }
    }
}
