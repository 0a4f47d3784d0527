import SandpoolAPI
import SandpoolModel
import Testing

@testable import SandpoolCoordinator

/// A worker that says of itself that its sandbox does not hold.
@Suite(.timeLimit(.minutes(1)))
struct VerificationTests {
    private static func summary(through: [String] = [], failure: String? = nil) -> VerificationSummary {
        VerificationSummary(
            at: Timestamp(milliseconds: 1_700_000_000_000), kernel: "6.1", held: 100, notRun: 2, through: through,
            failure: failure)
    }

    @Test(arguments: [summary(through: ["pivot-root"]), summary(failure: "no probe program")])
    func getsNoJobs(verification: VerificationSummary) async throws {
        try await TestServer.run { server in
            let id = FakeWorker.newID()
            let worker = try await FakeWorker(server, id: id, verification: verification)
            let job = try await server.submit(#"{"command": ["true"]}"#)
            let info: WorkerInfo = try await server.json("GET", "/v1/workers/fake")
            #expect(info.state == "draining" && info.verification == verification)
            #expect(info.drainReason == verification.text)
            let why: Explanation = try await server.json("GET", "/v1/jobs/\(job.id)/why")
            #expect(why.reasons.contains { $0.contains("gets no jobs: \(verification.text)") }, "\(why.reasons)")
            // An operator's resume does not make it any better: another session, with the same word of the worker.
            _ = try await server.request("POST", "/v1/workers/fake/resume")
            _ = try await worker.connection.ending()
            _ = try await FakeWorker(server, id: id, token: worker.token, verification: verification)
            #expect(try await server.job(job.id).state == .queued)
            let proven = try await FakeWorker(server, id: id, token: worker.token, verification: Self.summary())
            #expect(try await proven.assignment().job == job.id)
        }
    }
}
