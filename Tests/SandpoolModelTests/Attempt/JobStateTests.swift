import SandpoolModel
import Testing

@Suite struct JobStateTests {
    static let moment = Timestamp(milliseconds: 1_700_000_000_000)

    static func attempt(_ state: AttemptState, _ outcome: Outcome? = nil) -> Attempt {
        Attempt(
            id: .make(at: moment), worker: .make(at: moment), epoch: 1, state: state, outcome: outcome,
            createdAt: moment, startedAt: outcome?.commandStarted == false ? nil : moment)
    }

    static func state(_ attempts: [Attempt], ending: Outcome? = nil, retries: Int = 0) -> JobState {
        var spec = JobSpec(command: ["true"])
        spec.network.block = true
        spec.retries = retries
        return JobState(spec: spec, attempts: attempts, ending: ending)
    }

    @Test(
        arguments: [
            (.leased, .starting), (.preparing, .starting), (.building, .starting), (.running, .running),
            (.superseded, .queued),
        ] as [(AttemptState, JobState)])
    func followsTheLatestAttempt(attempt: AttemptState, job: JobState) {
        #expect(Self.state([Self.attempt(attempt)]) == job)
        let lost = Self.attempt(.lost, Outcome(cause: .preempted))
        #expect(Self.state([lost, Self.attempt(attempt)]) == job)
    }

    @Test func aJobWithoutAttemptsIsQueuedUntilItIsEnded() {
        #expect(Self.state([]) == .queued)
        #expect(Self.state([], ending: Outcome(cause: .cancelled, commandStarted: false)) == .cancelled)
        #expect(Self.state([], ending: Outcome(cause: .queueTimeout, commandStarted: false)) == .timedOut)
    }

    @Test(arguments: OutcomeTests.table.indices) func endsAsItsLastAttempt(row: Int) {
        let (outcome, expected, _, fault) = OutcomeTests.table[row]
        let attempts = Array(repeating: Self.attempt(.finished, outcome), count: 3)
        #expect(Self.state(attempts) == expected)
        if fault == .infrastructure { #expect(Self.state([attempts[0]]) == .queued) }
    }

    @Test func goesBackToTheQueueForARetry() {
        let failed = Self.attempt(.finished, Outcome(cause: .exited, exitCode: 1))
        #expect(Self.state([failed], retries: 1) == .queued)
        #expect(Self.state([failed, failed], retries: 1) == .failed)
        #expect(Self.state([failed, Self.attempt(.running)], retries: 1) == .running)
        #expect(Self.state([Self.attempt(.lost)]) == .queued, "given back unstarted")
    }

    @Test func aReplacedAttemptCountsAsALostWorker() {
        let lost = Self.attempt(.lost, Outcome(cause: .workerLost))
        #expect(Self.state([lost]) == .queued)
        #expect(Self.state([Self.attempt(.superseded), lost]) == .errored)
        let late = Self.attempt(.superseded, Outcome(cause: .exited, exitCode: 0))
        #expect(Self.state([late, lost]) == .errored, "what it reports late does not count instead")
    }
}
