import SandpoolModel
import Testing

@Suite struct OutcomeTests {
    /// The table of the design: cause, how it ended, the job's state, the return code, whose fault.
    static let table: [(Outcome, JobState, Int?, Fault)] = [
        (Outcome(cause: .exited, exitCode: 0), .succeeded, 0, .user),
        (Outcome(cause: .exited, exitCode: 1), .failed, 1, .user),
        (Outcome(cause: .exited, exitCode: 255), .failed, 255, .user),
        (Outcome(cause: .exited, exitCode: 127, commandStarted: false, isRetryable: false), .failed, 127, .user),
        (Outcome(cause: .signaled, signal: 9), .failed, 137, .user),
        (Outcome(cause: .signaled, signal: 11), .failed, 139, .user),
        (Outcome(cause: .oom, exitCode: 0), .failed, 137, .user),
        (Outcome(cause: .oom, signal: 9), .failed, 137, .user),
        (Outcome(cause: .diskLimit, exitCode: 3), .failed, 3, .user),
        (Outcome(cause: .diskLimit, signal: 7), .failed, 135, .user),
        (Outcome(cause: .outputLimit, signal: 9), .failed, 137, .user),
        (Outcome(cause: .timeout, signal: 15), .timedOut, 124, .user),
        (Outcome(cause: .timeout, exitCode: 0), .timedOut, 124, .user),
        (Outcome(cause: .idleTimeout), .timedOut, 124, .user),
        (Outcome(cause: .queueTimeout, commandStarted: false), .timedOut, 124, .user),
        (Outcome(cause: .cancelled, exitCode: 0), .cancelled, 137, .user),
        (Outcome(cause: .buildFailed, commandStarted: false), .errored, nil, .user),
        (Outcome(cause: .setupFailed, commandStarted: false), .errored, nil, .infrastructure),
        (Outcome(cause: .fetchFailed, commandStarted: false), .errored, nil, .infrastructure),
        (Outcome(cause: .workerLost), .errored, nil, .infrastructure),
        (Outcome(cause: .preempted), .errored, nil, .infrastructure),
    ]

    @Test(arguments: table.indices) func reads(row: Int) {
        let (outcome, state, code, fault) = Self.table[row]
        #expect(outcome.jobState == state)
        #expect(outcome.returnCode == code)
        #expect(outcome.cause.fault == fault)
        #expect(outcome.jobState.isTerminal)
    }

    @Test func theTableHasEveryCause() {
        #expect(Set(Self.table.map(\.0.cause)) == Set(Cause.allCases))
    }

    /// Only a process that reaped the command may state a code: without one none is made up.
    @Test func noCodeIsInvented() {
        #expect(Outcome(cause: .exited).returnCode == nil)
        #expect(Outcome(cause: .exited).jobState == .failed)
        #expect(Outcome(cause: .signaled).returnCode == nil)
        #expect(Outcome(cause: .diskLimit).returnCode == nil)
    }
}
