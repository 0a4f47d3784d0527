import SandpoolModel
import SandpoolStore
import Testing

@testable import SandpoolCoordinator

/// What stands behind a great many jobs that fit nowhere is placed all the same, in its order.
@Suite struct QueueSurveyTests {
    private static let base = Timestamp(milliseconds: 1_700_000_000_000)
    /// More than the window holds.
    private static let many: Int64 = 600

    private func worker(cpus: Int64) -> WorkerOffer {
        WorkerOffer(
            id: .make(at: Self.base), capacity: Resources(cpuMillis: cpus * 1_000, memoryBytes: 64, diskBytes: 64),
            labels: [:], images: [], offersHostImage: true, drains: false)
    }

    private func job(
        _ sequence: Int64, cpus: Int64 = 1, priority: Int = 0, require: [String: String] = [:], memory: Int64 = 0
    ) -> QueuedJob {
        QueuedJob(
            id: .make(at: Self.base), position: QueuePosition(priority: priority, sequence: sequence),
            resources: Resources(cpuMillis: cpus * 1_000, memoryBytes: memory, diskBytes: 0), require: require,
            image: "host", demand: "\(cpus) \(memory) \(require)", createdAt: Self.base, triedWorkers: [])
    }

    /// Jobs that no worker takes: all alike, or no two alike.
    private func unplaceable(_ count: Int64 = many, alike: Bool) -> [QueuedJob] {
        (1...count).map { job($0, priority: 9, require: ["gpu": alike ? "yes" : "\($0)"]) }
    }

    @Test(arguments: [true, false])
    func oneJobBehindTenThousandIsPlaced(alike: Bool) {
        var state = SchedulerState()
        let last = job(10_001)
        var queue = SimulatedQueue(unplaceable(10_000, alike: alike) + [last])
        #expect(queue.run(&state, [.connected(worker(cpus: 2), held: [:])]).map(\.job) == [last.id])
        if alike { #expect(queue.read < 2_000, "a kind that fits nowhere is not read job by job") }
    }

    @Test(arguments: [true, false])
    func priorityAndAgeHoldBehindThem(alike: Bool) {
        var state = SchedulerState()
        // Forty kinds, more than one survey chooses, each with jobs early and late, and some that are more urgent.
        let behind = (1...60).map { number in
            job(Self.many + number, priority: number % 25 == 0 ? 5 : 0, memory: number % 40)
        }
        var queue = SimulatedQueue(unplaceable(alike: alike) + behind)
        let offer = worker(cpus: 1)
        var order: [JobID] = []
        var events: [SchedulerState.Event] = [.connected(offer, held: [:])]
        for _ in behind {
            let placed = queue.run(&state, events)
            #expect(placed.count == 1)
            order += placed.map(\.job)
            events = placed.map { .released($0.worker, $0.job, after: .seconds(60)) }
        }
        #expect(order == behind.sorted { $0.position < $1.position }.map(\.id))
    }

    @Test func aLineIsPlacedAsFarAsRoomGoes() {
        var state = SchedulerState()
        let behind = (1...1_000).map { job(Self.many + $0) }
        var queue = SimulatedQueue(unplaceable(alike: true) + behind)
        let placed = queue.run(&state, [.connected(worker(cpus: 600), held: [:])])
        #expect(placed.map(\.job) == behind.prefix(600).map(\.id))
    }

    @Test func aJobThatNeverStopsBeingOvertakenIsNotStarvedBehindThem() {
        var state = SchedulerState()
        let offer = worker(cpus: 2)
        let large = job(Self.many + 1, cpus: 2)
        var sequence = Self.many + 1
        var running: [QueuedJob] = [job(0), job(0)]
        var queue = SimulatedQueue(unplaceable(alike: false) + [large])
        var events: [SchedulerState.Event] = [
            .connected(offer, held: Dictionary(uniqueKeysWithValues: running.map { ($0.id, $0.resources) }))
        ]
        var overtakers = 0
        while state.workers[offer.id]?.held[large.id] == nil, !running.isEmpty {
            sequence += 1
            queue.add(job(sequence))
            events += [.released(offer.id, running.removeFirst().id, after: .seconds(60)), .queueChanged]
            let all = queue.jobs
            let placed = queue.run(&state, events)
            events = []
            running += all.filter { job in placed.contains { $0.job == job.id } && job.id != large.id }
            overtakers += placed.count { $0.job != large.id }
        }
        #expect(state.workers[offer.id]?.held[large.id] != nil)
        #expect(overtakers == state.tuning.passesBeforeReserve)
    }

    /// Changes without end, such as a stream of submissions, send it back to the head each time.
    @Test func itGetsThroughWhateverHappensMeanwhile() {
        var state = SchedulerState()
        let last = job(Self.many + 1)
        var queue = SimulatedQueue(unplaceable(alike: false) + [last])
        let placed = queue.run(
            &state, [.connected(worker(cpus: 2), held: [:])], meanwhile: [.queueChanged], atMost: 1_000)
        #expect(placed.map(\.job) == [last.id])
    }

    @Test func aWorkerThatTakesTheFirstOnesChangesTheOrder() {
        var state = SchedulerState()
        let first = unplaceable(alike: true)
        var queue = SimulatedQueue(first + [job(Self.many + 1)])
        _ = queue.run(&state, [.connected(worker(cpus: 1), held: [:])])
        var labelled = worker(cpus: 3)
        labelled.labels = ["gpu": "yes"]
        let placed = queue.run(&state, [.connected(labelled, held: [:])])
        #expect(placed.map(\.job) == first.prefix(3).map(\.id))
    }

    /// What was kept for a job that is gone would stand empty for ever.
    @Test func aReservationEndsWithItsJob() {
        var tuning = SchedulerState.Tuning()
        tuning.passesBeforeReserve = 0
        var state = SchedulerState(tuning: tuning)
        let offer = worker(cpus: 2)
        let large = job(Self.many + 1, cpus: 2)
        let running = job(0)
        var queue = SimulatedQueue(unplaceable(alike: true) + [large])
        let held = [running.id: running.resources]
        #expect(queue.run(&state, [.connected(offer, held: held)]).isEmpty)
        let small = job(Self.many + 2)
        queue.add(small)
        #expect(queue.run(&state, [.queueChanged]).isEmpty, "the worker is kept")
        queue = SimulatedQueue(queue.jobs.filter { $0.id != large.id })
        #expect(queue.run(&state, [.queueChanged]).map(\.job) == [small.id])
    }

    /// The same with a real store and a real session.
    @Test(.timeLimit(.minutes(1))) func aRealQueueIsNotBlockedEither() async throws {
        try await TestServer.run { server in
            let wanting = #"{"command": ["true"], "priority": 9, "require": {"gpu": "yes"}}"#
            let thousand = "[" + repeatElement(wanting, count: 1_000).joined(separator: ",") + "]"
            for _ in 0..<10 { #expect(try await server.request("POST", "/v1/jobs", body: thousand).status == 201) }
            let last = try await server.submit(#"{"command": ["true"]}"#)
            let worker = try await FakeWorker(server)
            #expect(try await worker.assignment().job == last.id)
        }
    }
}
