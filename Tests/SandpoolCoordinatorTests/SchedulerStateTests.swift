import SandpoolModel
import SandpoolStore
import Testing

@testable import SandpoolCoordinator

/// The scheduler's decisions, as a table of what happened and what it does.
@Suite struct SchedulerStateTests {
    private static let base = Timestamp(milliseconds: 1_700_000_000_000)

    private func worker(
        cpus: Int64 = 2, labels: [String: String] = [:], host: Bool = true, images: Set<String> = [],
        makesDisks: Bool = true
    ) -> WorkerOffer {
        WorkerOffer(
            id: .make(at: Self.base), capacity: Resources(cpuMillis: cpus * 1_000, memoryBytes: 64, diskBytes: 64),
            labels: labels, images: images, offersHostImage: host, drains: false,
            makesDisks: makesDisks)
    }

    private func job(
        _ sequence: Int64, cpus: Int64 = 1, priority: Int = 0, require: [String: String] = [:],
        image: String = "host", tried: [WorkerID] = []
    ) -> QueuedJob {
        QueuedJob(
            id: .make(at: Self.base), position: QueuePosition(priority: priority, sequence: sequence),
            resources: Resources(cpuMillis: cpus * 1_000, memoryBytes: 1, diskBytes: 1), require: require,
            image: image, demand: "\(cpus) \(require) \(image)", createdAt: Self.base, triedWorkers: tried)
    }

    /// Lets a state see a queue; what it leases.
    private func placements(
        _ state: inout SchedulerState, _ events: [SchedulerState.Event], queue: [QueuedJob]
    ) -> [SchedulerState.Placement] {
        var simulated = SimulatedQueue(queue)
        return simulated.run(&state, events)
    }

    @Test func placesByPriorityThenAgeAsFarAsRoomGoes() {
        var state = SchedulerState()
        let offer = worker(cpus: 2)
        let queue = [job(1), job(2), job(3, priority: 5)]
        let placed = placements(&state, [.connected(offer, held: [:])], queue: queue)
        #expect(placed.map(\.job) == [queue[2].id, queue[0].id])
    }

    @Test func doesNothingWithoutAWorkerOrRoom() {
        var state = SchedulerState()
        #expect(state.step([.queueChanged]) == nil)
        let offer = worker(cpus: 1)
        let full = [JobID.make(at: Self.base): Resources(cpuMillis: 1_000, memoryBytes: 1, diskBytes: 1)]
        #expect(state.step([.connected(offer, held: full), .queueChanged]) == nil)
    }

    @Test func fillsTheFullestWorkerThatFits() {
        var state = SchedulerState()
        let (small, large) = (worker(cpus: 2), worker(cpus: 8))
        let busy = [JobID.make(at: Self.base): Resources(cpuMillis: 1_000, memoryBytes: 1, diskBytes: 1)]
        let queue = [job(1), job(2, cpus: 8)]
        let placed = placements(
            &state, [.connected(small, held: busy), .connected(large, held: [:])], queue: queue)
        #expect(
            Set(placed) == [
                .init(job: queue[0].id, worker: small.id), .init(job: queue[1].id, worker: large.id),
            ])
    }

    @Test(arguments: [true, false])
    func labelsAndTheHostImageAreRequirements(suits: Bool) {
        var state = SchedulerState()
        let offer = worker(labels: ["zone": "a"], host: suits)
        let queue = [job(1, require: ["zone": suits ? "a" : "b"]), job(2)]
        let placed = placements(&state, [.connected(offer, held: [:])], queue: queue)
        #expect(placed.count == (suits ? 2 : 0))
    }

    /// One unit of memory and one of disk: too much for memory alone.
    @Test(arguments: [true, false]) func aDiskIsARequirement(makesDisks: Bool) {
        var state = SchedulerState()
        let placed = placements(&state, [.connected(worker(makesDisks: makesDisks), held: [:])], queue: [job(1)])
        #expect(placed.count == (makesDisks ? 1 : 0))
    }

    /// What had no room before goes on once a quarantine is over.
    @Test func aQuarantineLetsNothingThenOneThenAllThrough() {
        var state = SchedulerState()
        let offer = worker(cpus: 4)
        let queue = [job(1), job(2), job(3)]
        let shut = placements(&state, [.connected(offer, held: [:]), .admit(offer.id, .none)], queue: queue)
        #expect(shut.isEmpty)
        let trial = placements(&state, [.admit(offer.id, .trial)], queue: queue)
        #expect(trial.map(\.job) == [queue[0].id])
        let rest = Array(queue[1...])
        #expect(placements(&state, [.queueChanged], queue: rest).isEmpty, "one at a time")
        // It ended without a word of the worker: the next one tries.
        let again = placements(&state, [.released(offer.id, queue[0].id, after: .milliseconds(1))], queue: rest)
        #expect(again.map(\.job) == [queue[1].id])
        let open = placements(&state, [.admit(offer.id, .all)], queue: [queue[2]])
        #expect(open.map(\.job) == [queue[2].id])
    }

    @Test func aTrialThatBecameNoLeaseLeavesItsPlaceToTheNext() {
        var state = SchedulerState()
        let offer = worker(cpus: 4)
        let queue = [job(1), job(2)]
        let trial = placements(
            &state, [.connected(offer, held: [:]), .admit(offer.id, .trial)], queue: [queue[0]])
        let refused = trial.map { SchedulerState.Event.refused($0, workerUnavailable: false) }
        #expect(placements(&state, refused, queue: [queue[1]]).map(\.job) == [queue[1].id])
    }

    @Test func jobsGoRoundAQuarantinedWorker() {
        var state = SchedulerState()
        let (shut, open) = (worker(cpus: 1), worker(cpus: 8))
        let events: [SchedulerState.Event] = [
            .connected(shut, held: [:]), .connected(open, held: [:]), .admit(shut.id, .none),
        ]
        #expect(placements(&state, events, queue: [job(1), job(2)]).map(\.worker) == [open.id, open.id])
    }

    @Test func aRetryGoesElsewhereWhereItCan() {
        var state = SchedulerState()
        let (first, second) = (worker(), worker())
        let queue = [job(1, tried: [first.id])]
        let placed = placements(
            &state, [.connected(first, held: [:]), .connected(second, held: [:])], queue: queue)
        #expect(placed.map(\.worker) == [second.id])
        var alone = SchedulerState()
        #expect(placements(&alone, [.connected(first, held: [:])], queue: queue).map(\.worker) == [first.id])
    }

    @Test func prefersTheWorkerThatHasTheImage() {
        var state = SchedulerState()
        let (bare, cached) = (worker(cpus: 1), worker(cpus: 8, images: ["scratch"]))
        let placed = placements(
            &state, [.connected(bare, held: [:]), .connected(cached, held: [:])], queue: [job(1, image: "scratch")])
        #expect(placed.map(\.worker) == [cached.id])
    }

    @Test func aJobThatFitsNowhereDoesNotBlockOthers() {
        var state = SchedulerState()
        let queue = [job(1, cpus: 99), job(2, require: ["gpu": "yes"]), job(3)]
        let placed = placements(&state, [.connected(worker(), held: [:])], queue: queue)
        #expect(placed.map(\.job) == [queue[2].id])
    }

    @Test func aDrainedOrRefusingWorkerGetsNothing() {
        var state = SchedulerState()
        let offer = worker()
        let queue = [job(1)]
        #expect(placements(&state, [.connected(offer, held: [:]), .drain(offer.id, true)], queue: queue).isEmpty)
        #expect(placements(&state, [.drain(offer.id, false)], queue: queue).count == 1)
        let refused = SchedulerState.Placement(job: queue[0].id, worker: offer.id)
        #expect(placements(&state, [.refused(refused, workerUnavailable: true)], queue: queue).isEmpty)
    }

    @Test func roomComesBackWhenAnAttemptEnds() {
        var state = SchedulerState()
        let offer = worker(cpus: 1)
        let queue = [job(1), job(2)]
        #expect(placements(&state, [.connected(offer, held: [:])], queue: queue).map(\.job) == [queue[0].id])
        let ended = SchedulerState.Event.released(offer.id, queue[0].id, after: .seconds(60))
        #expect(placements(&state, [ended], queue: [queue[1]]).map(\.job) == [queue[1].id])
        #expect(state.workers[offer.id]?.free.cpuMillis == 0)
    }

    @Test func onlyAWorkerOfShortJobsPrefetches() {
        for (stay, expected) in [(Duration.milliseconds(5), 9), (.seconds(60), 1)] {
            var state = SchedulerState()
            let offer = worker(cpus: 1)
            let first = job(0)
            _ = placements(&state, [.connected(offer, held: [:])], queue: [first])
            let queue = (1...50).map { job($0) }
            let placed = placements(
                &state, [.released(offer.id, first.id, after: stay), .queueChanged], queue: queue)
            #expect(placed.count == expected)
        }
    }

    @Test func aLargeJobIsNotStarvedBySmallOnes() {
        var tuning = SchedulerState.Tuning()
        tuning.passesBeforeReserve = 4
        var state = SchedulerState(tuning: tuning)
        let offer = worker(cpus: 2)
        let large = job(1, cpus: 2)
        var running = [job(2), job(3)]
        let held = Dictionary(uniqueKeysWithValues: running.map { ($0.id, $0.resources) })
        var queue = [large] + (4...100).map { job($0) }
        var steps: [SchedulerState.Event] = [.connected(offer, held: held)]
        var smallBefore = 0
        // One small job after the other ends. Without a reservation the large one would wait for all of them.
        for _ in 0..<40 {
            guard !running.isEmpty else { break }
            let ended = running.removeFirst()
            steps.append(.released(offer.id, ended.id, after: .seconds(60)))
            let placed = placements(&state, steps, queue: queue)
            steps = []
            if placed.contains(where: { $0.job == large.id }) { break }
            smallBefore += placed.count
            running += queue.filter { job in placed.contains { $0.job == job.id } }
            queue.removeAll { job in placed.contains { $0.job == job.id } }
        }
        #expect(state.workers[offer.id]?.held[large.id] != nil)
        #expect(smallBefore == tuning.passesBeforeReserve)
    }
}
