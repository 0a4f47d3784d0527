import SandpoolModel

/// One world out of one seed: a coordinator, two hosts with a worker and a launcher each, clients, and what goes wrong
/// between them. The coordinator and the workers are the shipped `CoordinatorState` and `WorkerState`; what is
/// simulated is everything that these do not decide: time, network, disks, the store, the launcher and the commands.
///
/// The same seed gives the same world, event by event, in one build. Dictionaries have to iterate in one order for
/// that: the process runs with SWIFT_DETERMINISTIC_HASHING (see `Simulator`).
package final class Simulation {
    let seed: UInt64
    let variant: Variant?
    let scenario: Scenario
    var chance: Chance
    /// Microseconds since the world began.
    var now: Int64 = 0
    var queue = EventQueue<Happening>()
    var coverage = Coverage()
    var hosts: [SimulatedHost] = []
    var coordinator: SimulatedCoordinator
    var connections: [Connection] = []
    var clients: [Client] = []
    var truth = Truth()
    /// Counts starts of processes.
    var starts = 0
    /// How long each host had not been heard of when losses were last asked to be recorded.
    var silences = [Int64](repeating: 0, count: Scenario.hosts)
    var isCalm = false
    private(set) var violation: String?
    private(set) var trace: [String]?
    private(set) var events = 0

    /// Bound on the length of a world: far above what any takes that comes to rest.
    private static let eventLimit = 200_000
    /// How long after the last fault there may be something left to do: whatever the code waits for by its own will.
    private static let patience: Int64 = 1_800_000_000

    package init(seed: UInt64, variant: Variant? = nil, isTraced: Bool = false) {
        self.seed = seed
        self.variant = variant
        var chance = Chance(seed: seed)
        scenario = Scenario(&chance)
        coordinator = SimulatedCoordinator(clock: Self.clock(&chance))
        trace = isTraced ? [] : nil
        for index in 0..<Scenario.hosts {
            hosts.append(SimulatedHost(index: index, clock: Self.clock(&chance), &chance))
        }
        clients = scenario.jobs.map(Client.init)
        self.chance = chance
    }

    private static func clock(_ chance: inout Chance) -> HostClock {
        // The coordinator and its workers are some seconds apart, and drift as cheap crystals do.
        HostClock(wallMs: 1_750_000_000_000 + chance.number(-5_000...5_000), drift: chance.number(-100...100))
    }

    /// Lives through the world until everything is at rest or something is wrong.
    package func run() -> Report {
        begin()
        while violation == nil, let (moment, happening) = queue.next() {
            now = moment
            events += 1
            if events > Self.eventLimit { fail("is not at rest after \(events) events: \(restlessness ?? "")") }
            happen(happening)
        }
        return Report(seed: seed, violation: violation, events: events, coverage: coverage, trace: trace ?? [])
    }

    package struct Report: Sendable {
        package var seed: UInt64
        package var violation: String?
        package var events: Int
        var coverage: Coverage
        package var trace: [String]
    }

    private func begin() {
        for index in hosts.indices { boot(index) }
        startCoordinator()
        for job in scenario.jobs { queue.add(.client(job: job.index, .submit), at: job.submitAt) }
        for _ in 0..<scenario.faultCount {
            queue.add(.fault(chance.element(scenario.faults)), at: chance.number(0...scenario.chaosEnds))
        }
        queue.add(.calm, at: scenario.chaosEnds)
    }

    private func happen(_ happening: Happening) {
        switch happening {
        case .arrivesAtCoordinator(let connection, let item): arrive(item, on: connection)
        case .arrivesAtWorker(let connection, let item): arrive(item, atWorkerOn: connection)
        case .worker(let host, let start, let duty): workerActs(host, start, duty)
        case .launcher(let host, let start, let duty): launcherActs(host, start, duty)
        case .coordinator(let start, let duty): coordinatorActs(start, duty)
        case .client(let job, let duty): clientActs(job, duty)
        case .fault(let fault): if !isCalm { strike(fault) }
        case .repair(let repair): mend(repair)
        case .calm:
            isCalm = true
            say("from here on nothing goes wrong")
            calmDown()
            queue.add(.look, at: now + 1_000_000)
        case .look: look()
        case .mustHaveEnded(let place): checkEnded(place)
        }
    }

    /// Whether everything has come to rest, looked at twice, since the last messages may still be under way.
    private func look() {
        if let restlessness {
            quietLooks = 0
            if now > scenario.chaosEnds + Self.patience {
                return fail("half an hour after the last fault: \(restlessness)")
            }
        } else {
            quietLooks += 1
            if quietLooks == 3 { return finish() }
        }
        queue.add(.look, at: now + 2_000_000)
    }

    private var quietLooks = 0

    private func finish() {
        checkEnd()
        queue = EventQueue()
    }

    // MARK: What the parts use

    func after(_ delay: Int64, _ happening: Happening) { queue.add(happening, at: now + max(0, delay)) }

    func newStart() -> Int {
        starts += 1
        return starts
    }

    func note(_ what: Reached) { coverage.note(what) }

    /// What is wrong ends the world.
    func fail(_ what: String) {
        guard violation == nil else { return }
        violation = what
        say("WRONG: \(what)")
    }

    func say(_ text: @autoclosure () -> String) {
        guard trace != nil else { return }
        let (seconds, micros) = (now / 1_000_000, now % 1_000_000)
        let fraction = String(micros + 1_000_000).dropFirst()
        trace?.append("\(seconds).\(fraction) \(text())")
    }
}
