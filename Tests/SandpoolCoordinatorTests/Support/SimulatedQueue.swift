import SandpoolModel
import SandpoolStore

@testable import SandpoolCoordinator

/// A queue that answers a `SchedulerState` as a store does.
struct SimulatedQueue {
    private(set) var jobs: [QueuedJob] { didSet { heads = nil } }
    /// The first job of each demand, by demand.
    private var heads: [QueuedJob]?
    /// How many jobs were read.
    private(set) var read = 0

    init(_ jobs: [QueuedJob]) { self.jobs = jobs.sorted { $0.position < $1.position } }

    mutating func add(_ job: QueuedJob) { self = SimulatedQueue(jobs + [job]) }

    /// Lets the state act until it has nothing to do; what it leases, in order.
    ///
    /// - Parameter meanwhile: what happens beside every answer.
    mutating func run(
        _ state: inout SchedulerState, _ events: [SchedulerState.Event], meanwhile: [SchedulerState.Event] = [],
        atMost rounds: Int = .max
    ) -> [SchedulerState.Placement] {
        var next = state.step(events)
        var placed: [SchedulerState.Placement] = []
        var round = 0
        while let effect = next, round < rounds {
            round += 1
            if case .lease(let list) = effect { placed += list }
            next = state.step(answer(effect) + meanwhile)
        }
        return placed
    }

    private mutating func answer(_ effect: SchedulerState.Effect) -> [SchedulerState.Event] {
        switch effect {
        case .load(let position, let limit):
            let page = jobs.lazy.filter { job in position.map { $0 < job.position } ?? true }.prefix(limit)
            read += page.count
            return [.loaded(Array(page), after: position)]
        case .survey(let demand, let limit):
            let all =
                heads
                ?? Dictionary(jobs.map { ($0.demand, $0) }) { first, _ in first }.values
                .sorted { $0.demand < $1.demand }
            heads = all
            let page = all.lazy.filter { $0.demand > demand ?? "" }.prefix(limit)
            read += page.count
            return [.surveyed(Array(page))]
        case .draw(let demands, let limit):
            let lines = demands.map { demand in Array(jobs.lazy.filter { $0.demand == demand }.prefix(limit)) }
            read += lines.joined().count
            return [.drawn(lines, limit: limit)]
        case .lease(let list):
            let taken = Set(list.map(\.job))
            jobs.removeAll { taken.contains($0.id) }
            return []
        }
    }
}
