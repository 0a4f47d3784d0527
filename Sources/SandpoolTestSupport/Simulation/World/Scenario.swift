import SandpoolCoordinator
import SandpoolModel
import SandpoolSandbox

/// What a seed decides before anything happens: the jobs, the pool's timings, and which faults there are at all. Not
/// every world has every fault, or each would hide the others.
struct Scenario {
    static let jobs = 5
    static let hosts = 2

    var timings = CoordinatorTimings()
    var jobs: [JobPlan] = []
    /// Microseconds that a message takes, one way, when nothing is wrong.
    var latency: ClosedRange<Int64>
    /// The faults of this world.
    var faults: [Fault]
    /// Microseconds until nothing goes wrong any more.
    var chaosEnds: Int64
    /// How many faults come until then.
    var faultCount: Int
    /// One message in so many is late; 0: none is.
    var latenessOdds: Int
    /// One timer in so many fires late or twice; 0: none does.
    var timerOdds: Int

    init(_ chance: inout Chance) {
        let choices: [(Int64, Int64)] = [(100, 400), (500, 5_000), (20_000, 80_000)]
        let (low, high) = chance.element(choices)
        latency = low...high
        chaosEnds = chance.span(8_000_000...250_000_000)
        faults = Fault.allCases.filter { _ in chance.one(in: 3) }
        faultCount = faults.isEmpty ? 0 : chance.number(2...12)
        latenessOdds = chance.element([0, 0, 50, 15])
        timerOdds = chance.element([0, 0, 20])
        // How long a lost attempt is waited for is the longest of all; a short one lets more of it happen.
        timings.lostAfter = .seconds(chance.element([20, 60, 600]))
        // With five jobs in a world as many failures in a row as are allowed would never come together.
        timings.quarantineAfter = chance.element([1, 2, 5])
        for index in 0..<Self.jobs { jobs.append(JobPlan(index: index, chaosEnds: chaosEnds, &chance)) }
    }
}

/// One job, what its command does, and what its client does.
struct JobPlan {
    let index: Int
    var spec: JobSpec
    var submitAt: Int64
    /// Microseconds after the submission; `nil`: its client does not cancel it.
    var cancelAfter: Int64?
    /// What the image's preparation takes, in microseconds; 0: nothing, it is answered at once.
    var preparation: Int64
    var startFailure: SandboxFailure.Kind?
    /// Microseconds that the command runs when nobody ends it.
    var duration: Int64
    var exitCode: UInt8
    var ignoresTerm: Bool
    var stdout: Int64
    var stderr: Int64

    init(index: Int, chaosEnds: Int64, _ chance: inout Chance) {
        self.index = index
        spec = JobSpec(command: ["job-\(index)"])
        spec.image = "host"
        spec.resources.cpus = 1
        spec.resources.memoryBytes = 1 << 30
        spec.resources.diskBytes = 64 << 20
        spec.resources.outputBytes = 1 << 30
        spec.rerun = chance.element([.safe, .safe, .never])
        spec.priority = chance.number(0...1)
        spec.retries = chance.one(in: 4) ? chance.number(1...2) : 0
        spec.timeoutSeconds = chance.one(in: 5) ? Double(chance.number(1...30)) : 300
        spec.graceSeconds = Double(chance.element([0, 1, 10]))
        spec.queueTimeoutSeconds = chance.one(in: 4) ? Double(chance.number(1...40)) : nil
        spec.downloads = chance.one(in: 6) ? ["/result"] : []
        spec.idempotencyKey = "key-\(index)"
        submitAt = chance.number(0...min(chaosEnds / 2, 30_000_000))
        let isCancelled = chance.one(in: 4)
        cancelAfter = isCancelled ? chance.span(1_000...60_000_000) : nil
        preparation = chance.one(in: 3) ? chance.span(10_000...40_000_000) : 0
        startFailure = chance.one(in: 12) ? chance.element([.setup, .setup, .commandNotFound, .spec]) : nil
        // One that never ends by itself is cancelled.
        let isEndless = isCancelled && chance.one(in: 2)
        duration = isEndless ? 86_400_000_000 : chance.span(1_000...280_000_000)
        if isEndless { spec.timeoutSeconds = 20_000 }
        exitCode = chance.one(in: 3) ? UInt8(chance.number(1...255)) : 0
        ignoresTerm = chance.one(in: 4)
        stdout = Self.bytes(&chance)
        stderr = chance.one(in: 3) ? Self.bytes(&chance) : 0
    }

    private static func bytes(_ chance: inout Chance) -> Int64 {
        switch chance.number(1...10) {
        case 1...3: 0
        case 4...7: chance.number(Int64(1)...200)
        case 8: chance.number(Int64(20_000)...40_000)
        default: chance.number(Int64(100_000)...12_000_000)
        }
    }
}
