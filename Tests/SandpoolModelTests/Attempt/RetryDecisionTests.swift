import SandpoolModel
import Testing

@Suite struct RetryDecisionTests {
    static let notStarted = Outcome(cause: .setupFailed, commandStarted: false)
    static let workerLost = Outcome(cause: .workerLost)
    static let preempted = Outcome(cause: .preempted)
    static let failed = Outcome(cause: .exited, exitCode: 1)

    /// A job's attempts in order, and whether the last of them is followed by another.
    struct Story: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var isRerunSafe = true
        var retries = 0
        var outcomes: [Outcome]
        var isRetried: Bool
    }

    static let stories = [
        Story(testDescription: "not started", outcomes: [notStarted], isRetried: true),
        Story(testDescription: "twice not started", outcomes: [notStarted, notStarted], isRetried: true),
        Story(testDescription: "three times", outcomes: [notStarted, notStarted, notStarted], isRetried: false),
        Story(testDescription: "unsafe, not started", isRerunSafe: false, outcomes: [notStarted], isRetried: true),
        Story(
            testDescription: "worker lost before the start", isRerunSafe: false,
            outcomes: Array(repeating: Outcome(cause: .workerLost, commandStarted: false), count: 2), isRetried: true),
        Story(
            testDescription: "impossible anywhere",
            outcomes: [Outcome(cause: .setupFailed, commandStarted: false, isRetryable: false)], isRetried: false),
        Story(testDescription: "worker lost", outcomes: [workerLost], isRetried: true),
        Story(testDescription: "poison", outcomes: [workerLost, workerLost], isRetried: false),
        Story(testDescription: "unsafe, worker lost", isRerunSafe: false, outcomes: [workerLost], isRetried: false),
        Story(testDescription: "preempted", outcomes: [preempted], isRetried: true),
        Story(testDescription: "twice preempted", outcomes: [preempted, preempted], isRetried: true),
        Story(testDescription: "three times", outcomes: [preempted, preempted, preempted], isRetried: false),
        Story(testDescription: "one of each", outcomes: [workerLost, preempted], isRetried: true),
        Story(testDescription: "poison at the end", outcomes: [workerLost, preempted, workerLost], isRetried: false),
        Story(testDescription: "classes apart", outcomes: [notStarted, notStarted, workerLost], isRetried: true),
        Story(testDescription: "failed", outcomes: [failed], isRetried: false),
        Story(testDescription: "failed, one retry", retries: 1, outcomes: [failed], isRetried: true),
        Story(testDescription: "failed twice, one retry", retries: 1, outcomes: [failed, failed], isRetried: false),
        Story(testDescription: "failed after losses", retries: 1, outcomes: [notStarted, failed], isRetried: true),
        Story(
            testDescription: "no such command", retries: 3,
            outcomes: [Outcome(cause: .exited, exitCode: 127, commandStarted: false, isRetryable: false)],
            isRetried: false),
        Story(
            testDescription: "succeeded", retries: 3, outcomes: [Outcome(cause: .exited, exitCode: 0)],
            isRetried: false),
        Story(testDescription: "cancelled", retries: 3, outcomes: [Outcome(cause: .cancelled)], isRetried: false),
        Story(testDescription: "timed out", retries: 3, outcomes: [Outcome(cause: .timeout)], isRetried: false),
        Story(testDescription: "build failed", retries: 3, outcomes: [Outcome(cause: .buildFailed)], isRetried: false),
    ]

    @Test(arguments: stories) func decides(story: Story) throws {
        var spec = JobSpec(command: ["true"])
        spec.network.block = story.isRerunSafe
        spec.retries = story.retries
        #expect(spec.isRerunSafe == story.isRerunSafe)
        let last = try #require(story.outcomes.last)
        let decision = spec.decideRetry(after: last, counts: RetryCounts(counting: story.outcomes))
        #expect((decision != .finish) == story.isRetried)
    }

    @Test(arguments: [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 30), (100, 30), (Int.max, 30), (0, 1), (Int.min, 1)])
    func waitsLongerEachTime(retry: Int, seconds: Int) {
        #expect(RetryLimits.delay(retry: retry) == .seconds(seconds))
    }

    /// Whatever happens, a job comes to an end: no sequence of outcomes is retried for ever.
    @Test(arguments: Cause.allCases, [true, false]) func everyJobEnds(cause: Cause, started: Bool) {
        var spec = JobSpec(command: ["true"])
        spec.rerun = .safe
        spec.retries = 10
        var counts = RetryCounts()
        let outcome = Outcome(cause: cause, exitCode: 1, commandStarted: started)
        for attempt in 1... {
            counts.count(outcome)
            if spec.decideRetry(after: outcome, counts: counts) == .finish { break }
            guard attempt <= 12 else {
                Issue.record("\(cause) is retried for ever")
                break
            }
        }
    }

    @Test(
        arguments: [
            (nil, true, .none, true), (nil, false, .none, false), (nil, true, .stream, false),
            (.safe, false, .none, true),
            (.never, true, .none, false),
        ] as [(RerunPolicy?, Bool, StandardInput, Bool)])
    func knowsWhatIsSafeToRunAgain(rerun: RerunPolicy?, blocked: Bool, stdin: StandardInput, isSafe: Bool) {
        var spec = JobSpec(command: ["true"])
        (spec.rerun, spec.network.block, spec.stdin) = (rerun, blocked, stdin)
        #expect(spec.isRerunSafe == isSafe)
    }
}
