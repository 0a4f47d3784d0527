import SandpoolModel
import SandpoolStore
import Testing

@testable import SandpoolCoordinator

/// What a result says of output that its host could not bring any more.
@Suite struct LostOutputTests {
    private func report(
        stdout: Int64, stderr: Int64, tails: [InlineOutput] = [], message: String? = nil
    ) -> ResultReport {
        var evidence = Evidence()
        (evidence.stdoutBytes, evidence.stderrBytes) = (stdout, stderr)
        let moment = Timestamp(milliseconds: 0)
        return ResultReport(
            lease: LeaseKey(attempt: AttemptID.make(at: moment), epoch: 1, worker: WorkerID.make(at: moment)),
            outcome: Outcome(cause: .exited, exitCode: 3, message: message), evidence: evidence, startedAt: moment,
            finishedAt: moment, tails: tails, downloads: nil)
    }

    @Test func wholeOutputIsNotTalkedAbout() {
        let tails = [InlineOutput(stream: .stdout, offset: 10, bytes: [1, 2, 3])]
        let whole = report(stdout: 13, stderr: 5, tails: tails)
        #expect(LostOutput(of: whole, stdoutEnd: 10, stderrEnd: 5) == nil)
        let short = report(stdout: 14, stderr: 5, tails: tails)
        #expect(LostOutput(of: short, stdoutEnd: 10, stderrEnd: 5)?.stdoutBytes == 1)
    }

    @Test func whatIsMissingIsSaidAndTheResultStays() {
        var lost = report(stdout: 100, stderr: 7, message: "killed")
        LostOutput(of: lost, stdoutEnd: 60, stderrEnd: 0)?.note(in: &lost)
        #expect(
            lost.outcome.message == "the last 40 bytes of stdout and 7 bytes of stderr were lost when the host or its "
                + "launcher went down; killed")
        #expect(lost.outcome.exitCode == 3)
        #expect(lost.evidence.lostStdoutBytes == 40 && lost.evidence.lostStderrBytes == 7)
    }
}
