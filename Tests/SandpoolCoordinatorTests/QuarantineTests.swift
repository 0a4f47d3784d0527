import SandpoolAPI
import SandpoolModel
import Testing

@testable import SandpoolCoordinator

/// What people see of a worker that cannot set sandboxes up.
@Suite(.timeLimit(.minutes(1)))
struct QuarantineTests {
    private static let spec = #"{"command": ["true"]}"#
    private static let failure = Outcome(cause: .setupFailed, message: "cgroup: refused", commandStarted: false)

    private func shown(_ server: TestServer) async throws -> WorkerInfo {
        try await server.json("GET", "/v1/workers/fake")
    }

    @Test func itIsToldOutlivesTheCoordinatorAndEndsWithResume() async throws {
        let directory = try TestDirectory()
        let configure: @Sendable (inout CoordinatorConfiguration) -> Void = { $0.timings.quarantineAfter = 2 }
        let id = FakeWorker.newID()
        let (tokens, token) = AsyncStream<String>.makeStream()
        try await TestServer.run(directory: directory, configure: configure) { server in
            // One job at a time.
            let worker = try await FakeWorker(
                server, id: id, capacity: Resources(cpuMillis: 1_000, memoryBytes: 8 << 30, diskBytes: 8 << 30))
            token.yield(worker.token)
            // No job fits on it, but it gets jobs.
            let other = try await FakeWorker(
                server, id: .make(at: Timestamp(milliseconds: 1)), name: "other",
                capacity: Resources(cpuMillis: 1, memoryBytes: 1 << 20, diskBytes: 0))
            defer { withExtendedLifetime(other) {} }
            for _ in 0..<2 { _ = try await server.submit(Self.spec) }
            // One of them may be tried again before the other.
            var failed: Set<JobID> = []
            while failed.count < 2 {
                let assignment = try await worker.assignment()
                try worker.report(assignment.lease, Self.failure)
                #expect(try await worker.verdict(of: assignment.lease) == .recorded)
                failed.insert(assignment.job)
            }
            let info = try await shown(server)
            #expect(info.state == "quarantined" && info.drainReason == nil)
            #expect(info.quarantineReason == "the set-up of 2 jobs failed in a row, the last with: cgroup: refused")
            let until = try #require(info.quarantinedUntil)
            #expect(until > info.lastSeenAt)
            let waiting = try await server.submit(Self.spec)
            let why: Explanation = try await server.json("GET", "/v1/jobs/\(waiting.id)/why")
            let reason = try #require(why.reasons.first { $0.hasPrefix("fake (") })
            #expect(reason.contains("is quarantined (the set-up of 2 jobs") && reason.contains("worker resume"))
        }
        token.finish()
        let secret = await tokens.first { _ in true }
        try await TestServer.run(directory: directory, configure: configure) { server in
            #expect(try await shown(server).quarantineReason?.contains("cgroup: refused") == true)
            let worker = try await FakeWorker(server, id: id, token: secret)
            #expect(try await shown(server).state == "quarantined")
            let resumed: WorkerInfo = try await server.json("POST", "/v1/workers/fake/resume")
            #expect(resumed.state == "connected" && resumed.quarantineReason == nil)
            #expect(try await worker.assignment().spec.command == ["true"], "the session goes on, and jobs come")
        }
    }
}
