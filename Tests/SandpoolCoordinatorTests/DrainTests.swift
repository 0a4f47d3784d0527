import NIOCore
import SandpoolAPI
import SandpoolModel
import Testing

@testable import SandpoolCoordinator

/// Draining a worker: what it has not started comes back, and what it runs ends at the deadline.
@Suite(.timeLimit(.minutes(1)))
struct DrainTests {
    private static let safe = #"{"command": ["true"], "blockNetwork": true}"#
    private static let unsafe = #"{"command": ["true"], "rerun": "never"}"#
    private static let cancelled = Outcome(cause: .cancelled, message: "cancelled while it ran")

    /// Gives a worker one job and lets it run.
    private func running(_ spec: String, on worker: FakeWorker, _ server: TestServer) async throws -> (
        Job, AttemptLease
    ) {
        let job = try await server.submit(spec)
        let lease = try await worker.assignment().lease
        try worker.progress(lease, .running)
        while try await server.job(job.id).state != .running { await Task.yield() }
        return (job, lease)
    }

    private func drain(_ server: TestServer, _ body: String) async throws -> WorkerInfo {
        try await server.json("POST", "/v1/workers/fake/drain", body: body)
    }

    @Test func whatWasNotStartedIsGivenBackAtOnceWhateverTheDeadline() async throws {
        try await TestServer.run { server in
            let worker = try await FakeWorker(server)
            let job = try await server.submit(Self.unsafe)
            let lease = try await worker.assignment().lease
            let info = try await drain(server, #"{"reason": "new kernel", "deadlineSeconds": 3600}"#)
            #expect(info.state == "draining" && info.drainReason == "new kernel")
            let deadline = try #require(info.drainDeadline)
            #expect(deadline > job.createdAt.advanced(by: .seconds(3_500)))
            #expect(try await worker.next() == .drain)
            try worker.send(.returned([lease]))
            while try await server.job(job.id).state != .queued { await Task.yield() }
            let why: Explanation = try await server.json("GET", "/v1/jobs/\(job.id)/why")
            #expect(why.reasons.contains { $0.contains("new kernel") })
            let other = try await FakeWorker(server)
            #expect(try await other.assignment().lease.epoch == 2)
        }
    }

    @Test(arguments: [true, false])
    func whatStillRunsAtTheDeadlineIsPreempted(isSafe: Bool) async throws {
        try await TestServer.run { server in
            let worker = try await FakeWorker(server)
            let (job, lease) = try await running(isSafe ? Self.safe : Self.unsafe, on: worker, server)
            _ = try await drain(server, #"{"deadlineSeconds": 0.05}"#)
            #expect(try await worker.next() == .drain)
            #expect(try await worker.next() == .cancel(lease))
            try worker.report(lease, Self.cancelled)
            #expect(try await worker.verdict(of: lease) == .recorded)
            let ended = try await server.job(job.id)
            #expect(ended.attempts.first?.outcome?.cause == .preempted)
            #expect(ended.state == (isSafe ? .queued : .errored))
            guard !isSafe else { return }
            #expect(ended.cause == .preempted && ended.fault == .infrastructure && ended.returnCode == nil)
        }
    }

    @Test func whatEndsByItselfInTimeIsItsOwnEnd() async throws {
        try await TestServer.run { server in
            let worker = try await FakeWorker(server)
            let (job, lease) = try await running(Self.safe, on: worker, server)
            _ = try await drain(server, #"{"deadlineSeconds": 0.05}"#)
            #expect(try await worker.next() == .drain)
            #expect(try await worker.next() == .cancel(lease))
            try await worker.finish(lease, exitCode: 3)
            let ended = try await server.job(job.id, wait: true)
            #expect(ended.cause == .exited && ended.exitCode == 3)
        }
    }

    @Test func aUsersCancelDuringADrainIsTheUsers() async throws {
        try await TestServer.run { server in
            let worker = try await FakeWorker(server)
            let (job, lease) = try await running(Self.safe, on: worker, server)
            _ = try await drain(server, #"{"deadlineSeconds": 3600}"#)
            #expect(try await worker.next() == .drain)
            _ = try await server.json("POST", "/v1/jobs/\(job.id)/cancel", as: Job.self)
            #expect(try await worker.next() == .cancel(lease))
            try worker.report(lease, Self.cancelled)
            #expect(try await server.job(job.id, wait: true).cause == .cancelled)
        }
    }

    @Test func theDeadlineOutlivesTheCoordinator() async throws {
        let directory = try TestDirectory()
        let handover = Mailbox<(FakeWorker, AttemptLease, JobID)>()
        try await TestServer.run(directory: directory) { server in
            let worker = try await FakeWorker(server)
            let (job, lease) = try await running(Self.unsafe, on: worker, server)
            _ = try await drain(server, #"{"reason": "power", "deadlineSeconds": 1}"#)
            await handover.push((worker, lease, job.id))
        }
        guard let (worker, lease, job) = await handover.next() else { throw TestFailure("no handover") }
        try await TestServer.run(directory: directory) { server in
            let held = [HeldAttempt(lease: lease, state: .running, stdoutBytes: 0, stderrBytes: 0)]
            let back = try await FakeWorker(server, id: worker.id, token: worker.token, held: held)
            #expect(try await back.next() == .drain)
            #expect(try await back.next() == .cancel(lease))
            try back.report(lease, Self.cancelled)
            #expect(try await server.job(job, wait: true).cause == .preempted)
        }
    }

    @Test func aWorkerThatWasAwayIsToldWhenItIsBack() async throws {
        try await TestServer.run { server in
            let worker = try await FakeWorker(server)
            let (job, lease) = try await running(Self.unsafe, on: worker, server)
            worker.connection.finish()
            await #expect(throws: TestFailure.self) { _ = try await worker.next() }
            let info = try await drain(server, #"{"deadlineSeconds": 0}"#)
            #expect(info.drainReason == "drained by an operator")
            #expect(try await server.job(job.id).state == .running, "nobody knows what runs there")
            let held = [HeldAttempt(lease: lease, state: .running, stdoutBytes: 0, stderrBytes: 0)]
            let back = try await FakeWorker(server, id: worker.id, token: worker.token, held: held)
            #expect(try await back.next() == .drain)
            #expect(try await back.next() == .cancel(lease))
        }
    }

    /// A worker drains to the end of its session, so the one that takes jobs again has to be another.
    @Test func resumingBeginsANewSession() async throws {
        try await TestServer.run { server in
            let worker = try await FakeWorker(server)
            _ = try await drain(server, "{}")
            #expect(try await worker.next() == .drain)
            let resumed: WorkerInfo = try await server.json("POST", "/v1/workers/fake/resume")
            #expect(resumed.drainReason == nil && resumed.drainDeadline == nil)
            await #expect(throws: TestFailure.self, "the session ends") { _ = try await worker.next() }
            let back = try await FakeWorker(server, id: worker.id, token: worker.token)
            let job = try await server.submit(Self.safe)
            #expect(try await back.assignment().job == job.id)
        }
    }

    @Test(arguments: [
        #"{"reason": ""}"#, #"{"reason": "a\u001bb"}"#, #"{"deadlineSeconds": -1}"#, #"{"deadlineSeconds": 1e99}"#,
        #"{"deadline": 5}"#,
    ])
    func aDrainThatCannotBeIsRefused(body: String) async throws {
        try await TestServer.run { server in
            _ = try await FakeWorker(server)
            #expect(try await server.failure("POST", "/v1/workers/fake/drain", body: body).status == 422)
            let info: WorkerInfo = try await server.json("GET", "/v1/workers/fake")
            #expect(info.state == "connected")
        }
    }
}
