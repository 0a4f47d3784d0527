import NIOCore
import SandpoolAPI
import SandpoolModel
import Testing

@testable import SandpoolCoordinator

@Suite(.timeLimit(.minutes(1)))
struct LifecycleTests {
    @Test func jobGoesToAWorkerAndItsResultIsRecorded() async throws {
        try await TestServer.run { server in
            let worker = try await FakeWorker(server)
            let job = try await server.submit(#"{"command": ["true"], "blockNetwork": true}"#)
            #expect(job.state == .queued)
            let assignment = try await worker.assignment()
            #expect(assignment.job == job.id)
            #expect(assignment.spec.timeoutSeconds == 300, "the spec is complete")
            try worker.progress(assignment.lease, .running)
            #expect(try await worker.finish(assignment.lease) == .recorded)
            let ended = try await server.job(job.id, wait: true)
            #expect(ended.state == .succeeded)
            #expect(ended.returnCode == 0)
            #expect(ended.attempts.map(\.worker) == [worker.id])
        }
    }

    @Test func aRepeatedResultIsADuplicateAndAForeignOneIsFenced() async throws {
        try await TestServer.run { server in
            let worker = try await FakeWorker(server)
            let other = try await FakeWorker(server, capacity: .zero)
            _ = try await server.submit(#"{"command": ["true"]}"#)
            let lease = try await worker.assignment().lease
            #expect(try await other.finish(lease, exitCode: 7) == .fenced)
            #expect(try await worker.finish(lease) == .recorded)
            #expect(try await worker.finish(lease) == .duplicate)
            #expect(try await server.json("GET", "/v1/jobs/@last", as: Job.self).exitCode == 0)
        }
    }

    @Test func aRunCarriesOutputAndTheEnd() async throws {
        try await TestServer.run { server in
            let worker = try await FakeWorker(server)
            let run = try await RunClient(server, .submit(JobSpec(command: ["echo"])))
            _ = try await run.created()
            let lease = try await worker.assignment().lease
            try worker.progress(lease, .running)
            try worker.send(lease, .stdout, at: 0, "one ")
            try worker.send(lease, .stderr, at: 0, "warning")
            try await worker.finish(lease, exitCode: 3, stdout: OutputTail(offset: 4, bytes: ByteBuffer(string: "two")))
            let (stdout, stderr, job) = try await run.collect()
            #expect(stdout == "one two")
            #expect(stderr == "warning")
            #expect(job.state == .failed)
            #expect(job.returnCode == 3)
        }
    }

    @Test func standardInputSignalsAndCancelReachTheWorker() async throws {
        try await TestServer.run { server in
            let worker = try await FakeWorker(server)
            var spec = JobSpec(command: ["cat"])
            spec.stdin = .stream
            let run = try await RunClient(server, .submit(spec))
            let job = try await run.created()
            try run.connection.send(
                .input(InputFrame(id: job.text, epoch: 0, offset: 0, isLast: false, bytes: ByteBuffer(string: "in"))))
            let lease = try await worker.assignment().lease
            guard case .input(let input)? = await worker.connection.next() else { throw TestFailure("no input") }
            #expect(String(buffer: input.bytes) == "in")
            #expect(input.id == lease.attempt.text)
            try worker.send(.inputConsumed(lease, offset: 2))
            try run.connection.send(RunRequest.signal(2))
            #expect(try await worker.next() == .signal(lease, signal: 2))
            try run.connection.send(RunRequest.cancel)
            #expect(try await worker.next() == .cancel(lease))
            try worker.report(lease, Outcome(cause: .cancelled, signal: 15))
            let (_, _, ended) = try await run.collect()
            #expect(ended.state == .cancelled)
        }
    }

    @Test func theSameKeyFollowsTheSameJob() async throws {
        try await TestServer.run { server in
            let worker = try await FakeWorker(server)
            var spec = JobSpec(command: ["true"])
            spec.idempotencyKey = "once"
            let first = try await RunClient(server, .submit(spec))
            let job = try await first.created()
            let lease = try await worker.assignment().lease
            let second = try await RunClient(server, .submit(spec))
            #expect(try await second.created() == job)
            try await worker.finish(lease, stdout: OutputTail(offset: 0, bytes: ByteBuffer(string: "hi")))
            #expect(try await first.collect().stdout == "hi")
            #expect(try await second.collect().stdout == "hi")
            #expect(try await RunClient(server, .submit(spec)).collect().stdout == "hi", "also after its end")
            let other = #"{"command": ["false"], "idempotencyKey": "once"}"#
            let conflict = try await server.failure("POST", "/v1/jobs", body: other)
            #expect(conflict == (409, "idempotency_conflict"))
        }
    }
}
