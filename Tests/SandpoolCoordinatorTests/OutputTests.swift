import NIOCore
import SandpoolAPI
import SandpoolModel
import Testing

@testable import SandpoolCoordinator

@Suite(.timeLimit(.minutes(1)))
struct OutputTests {
    private static let spec = #"{"command": ["yes"]}"#

    @Test func repeatsAreIgnoredAndOverlapsTrimmed() async throws {
        try await TestServer.run { server in
            let worker = try await FakeWorker(server)
            let job = try await server.submit(Self.spec)
            let lease = try await worker.assignment().lease
            try worker.send(lease, .stdout, at: 0, "abc")
            try worker.send(lease, .stdout, at: 0, "abc")
            try worker.send(lease, .stdout, at: 1, "bcdef")
            try await worker.finish(lease, stdout: OutputTail(offset: 6, bytes: ByteBuffer(string: "ghi")))
            for (query, expected) in [("", "abcdefghi"), ("?offset=4", "efghi"), ("?offset=5&limit=2", "fg"),
                ("?offset=7", "hi"), ("?offset=99", ""), ("?follow=true&offset=2", "cdefghi"),
                ("?follow=true&limit=1", "a")]
            {
                let answer = try await server.request("GET", "/v1/jobs/\(job.id)/output/stdout\(query)")
                #expect(String(buffer: answer.body) == expected, "\(query)")
            }
        }
    }

    @Test func aGapEndsTheSessionAndNothingOfItIsKept() async throws {
        try await TestServer.run { server in
            let worker = try await FakeWorker(server)
            let job = try await server.submit(Self.spec)
            let lease = try await worker.assignment().lease
            try worker.send(lease, .stdout, at: 0, "abc")
            try worker.send(lease, .stdout, at: 5, "too far")
            guard case .failed(let error) = try await worker.next() else { throw TestFailure("not refused") }
            #expect(error.code == "invalid_frame")
            await #expect(throws: TestFailure.self) { _ = try await worker.next() }
            let held = [HeldAttempt(lease: lease, state: .running, stdoutBytes: 12, stderrBytes: 0)]
            let back = try await FakeWorker(server, id: worker.id, token: worker.token, held: held)
            #expect(back.welcome.keep.first?.stdoutBytes == 3)
            let answer = try await server.request("GET", "/v1/jobs/\(job.id)/output/stdout")
            #expect(String(buffer: answer.body) == "abc")
        }
    }

    @Test func aForeignWorkersOutputIsNotTaken() async throws {
        try await TestServer.run { server in
            let worker = try await FakeWorker(server)
            let other = try await FakeWorker(server, capacity: .zero)
            let job = try await server.submit(Self.spec)
            let lease = try await worker.assignment().lease
            try other.send(lease, .stdout, at: 0, "forged")
            try other.send(.heartbeat(sentMs: 5))
            #expect(try await other.next() == .heartbeat(sentMs: 5))
            try await worker.finish(lease)
            #expect(try await server.request("GET", "/v1/jobs/\(job.id)/output/stdout").body.readableBytes == 0)
        }
    }

    /// Offsets are one attempt's: of another one that took its place a follower is shown everything.
    @Test func offsetsAreThoseOfTheirAttempt() async throws {
        try await TestServer.run { server in
            let worker = try await FakeWorker(server)
            let job = try await server.submit(Self.spec)
            let lease = try await worker.assignment().lease
            try worker.send(lease, .stdout, at: 0, "abcdef")
            try await worker.finish(lease)
            for (attempt, expected) in [(lease.attempt, "def"), (.make(at: Timestamp(milliseconds: 1)), "abcdef")] {
                let run = try await RunClient(
                    server, .follow(job: job.id.text, stdout: 3, stderr: 0, attempt: attempt))
                run.connection.finish()
                #expect(try await run.collect().stdout == expected)
            }
        }
    }

    @Test func aStalledFollowerHoldsUpNobody() async throws {
        try await TestServer.run { server in
            let worker = try await FakeWorker(server)
            let stalled = try await RunClient(server, .submit(JobSpec(command: ["yes"])), reads: false)
            let assignment = try await worker.assignment()
            let late = try await RunClient(server, .follow(job: assignment.job.text, stdout: 0, stderr: 0))
            // It has nothing to say. A client that leaves its request open may drop what it has not read yet when
            // the server closes.
            late.connection.finish()
            // Sixteen times what a follower's queue takes.
            let chunk = String(repeating: "y", count: Frame.chunkBytes)
            let total = 16 * Follower.queueLimit / chunk.utf8.count
            for index in 0..<total {
                try worker.send(assignment.lease, .stdout, at: Int64(index * chunk.utf8.count), chunk)
            }
            #expect(try await worker.finish(assignment.lease) == .recorded)
            let (stdout, _, job) = try await late.collect()
            #expect(stdout.utf8.count == total * chunk.utf8.count)
            #expect(job.state == .succeeded)
            stalled.connection.finish()
        }
    }

    @Test func blobsAreStoredByContentAndBounded() async throws {
        try await TestServer.run { $0.blobBytes = 1_024 } _: { server in
            let info: BlobInfo = try await server.json("POST", "/v1/blobs", body: "hello")
            #expect(info.digest == "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824")
            #expect(String(buffer: try await server.request("GET", "/v1/blobs/\(info.digest)").body) == "hello")
            let worker = try await server.token(.worker).secret
            let fetched = try await server.request("GET", "/v1/worker/blobs/\(info.digest)", token: worker)
            #expect(String(buffer: fetched.body) == "hello")
            let large = String(repeating: "x", count: 2_000)
            #expect(try await server.failure("POST", "/v1/blobs", body: large) == (413, "too_large"))
            let unknown = "sha256:" + String(repeating: "0", count: 64)
            let mount = #"{"command":["true"],"mounts":[{"blob":"\#(unknown)","path":"/a"}]}"#
            #expect(try await server.failure("POST", "/v1/jobs", body: mount) == (422, "missing_blob"))
        }
    }
}
