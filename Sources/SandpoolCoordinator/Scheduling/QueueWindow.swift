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

    /// The first job of each demand, the last in the queue's order first.
    var heads: [QueuedJob] { lines.values.compactMap(\.first).sorted { $1.position < $0.position } }

    /// Takes out the first job of its demand. The one that is the first then.
    mutating func remove(_ job: QueuedJob) -> QueuedJob? {
        guard var line = lines.removeValue(forKey: job.demand) else { return nil }
        line.start += 1
        count -= 1
        guard let next = line.first else { return nil }
        lines[job.demand] = line
        return next
    }
}
