import Foundation
import SandpoolAPI
import SandpoolModel
import SandpoolStore
import SandpoolTestSupport
import Synchronization
import Testing

@testable import SandpoolCoordinator

/// A restored coordinator and the workers that lived on in its lost future.
@Suite(.timeLimit(.minutes(1)))
struct RestoreTests {
    /// What is known from before the restore.
    private struct Before: Sendable {
        var worker: WorkerID
        var token: String
        var lease: AttemptLease
    }

    /// Runs `before` on a coordinator, which may take the backup, and `after` on one that is started on it.
    private static func restoring(
        before: @Sendable @escaping (TestServer, _ backUp: () throws -> Void) async throws -> Before,
        after: @Sendable @escaping (TestServer, Before) async throws -> Void
    ) async throws {
        let directory = try TestDirectory()
        let known = Mutex<Before?>(nil)
        let target = directory.path + "/backup"
        try await TestServer.run(directory: directory) { server in
            let result = try await before(server) {
                _ = try CoordinatorBackup(dataDirectory: server.directory, target: target).run()
            }
            known.withLock { $0 = result }
        }
        try FileManager.default.removeItem(atPath: directory.path + "/data")
        try FileManager.default.moveItem(atPath: target, toPath: directory.path + "/data")
        let result = try #require(known.withLock { $0 })
        try await TestServer.run(directory: directory) { server in
            try await after(server, result)
            _ = try CoordinatorCheck(dataDirectory: server.directory).run { Issue.record("\($0)") }
        }
    }

    /// A worker that got its attempt after the backup.
    private static func leasedAfterBackup(_ server: TestServer, _ backUp: () throws -> Void) async throws -> Before {
        let worker = try await FakeWorker(server)
        try backUp()
        _ = try await server.submit(#"{"command": ["x"]}"#)
        let lease = try await worker.assignment().lease
        return Before(worker: worker.id, token: worker.token, lease: lease)
    }

    private static func returning(
        _ server: TestServer, _ before: Before, _ state: AttemptState? = .running
    ) async throws -> FakeWorker {
        let held = state.map { [HeldAttempt(lease: before.lease, state: $0, stdoutBytes: 0, stderrBytes: 0)] } ?? []
        return try await FakeWorker(server, id: before.worker, token: before.token, held: held)
    }

    @Test func whatWasLeasedInTheLostFutureIsLeftAloneToItsEnd() async throws {
        try await Self.restoring(before: Self.leasedAfterBackup) { server, before in
            let worker = try await Self.returning(server, before)
            #expect(worker.welcome.keep.isEmpty && worker.welcome.kill.isEmpty)
            let info: WorkerInfo = try await server.json("GET", "/v1/workers/\(before.worker)")
            #expect(info.state == "draining" && info.drainReason?.contains("sandpool worker forget") == true)
            // Its host may be full: what comes now goes elsewhere, or waits.
            let job = try await server.submit(#"{"command": ["new"]}"#)
            let why: Explanation = try await server.json("GET", "/v1/jobs/\(job.id)/why")
            #expect(why.reasons.contains { $0.contains("gets no jobs") })
            #expect(try await worker.finish(before.lease) == .fenced)
            await #expect(throws: TestFailure.self) { _ = try await worker.next() }
            let again = try await Self.returning(server, before, nil)
            #expect(try await again.assignment().job == job.id)
            let jobs: [Job] = try await server.json("GET", "/v1/jobs?all=true")
            #expect(jobs.map(\.id) == [job.id])
        }
    }

    @Test func anOperatorHasItKilled() async throws {
        try await Self.restoring(before: Self.leasedAfterBackup) { server, before in
            let worker = try await Self.returning(server, before)
            _ = try await server.request("POST", "/v1/workers/\(before.worker)/forget")
            #expect(try await worker.next() == .kill(before.lease))
            await #expect(throws: TestFailure.self) { _ = try await worker.next() }
        }
    }

    /// It is gone at its worker: it may have run to its end, so it is no lease that nobody began.
    @Test(arguments: [true, false])
    func whatWasLeasedBeforeAndIsGoneMayHaveRun(isRerunSafe: Bool) async throws {
        try await Self.restoring { server, backUp in
            let worker = try await FakeWorker(server)
            _ = try await server.submit(#"{"command": ["x"], "blockNetwork": \#(isRerunSafe), "name": "it"}"#)
            let lease = try await worker.assignment().lease
            try backUp()
            try await worker.finish(lease)
            return Before(worker: worker.id, token: worker.token, lease: lease)
        } after: { server, before in
            let worker = try await Self.returning(server, before, nil)
            let job: Job = try await server.json("GET", "/v1/jobs/it")
            #expect(job.attempts.first?.state == .lost && job.attempts.first?.outcome?.cause == .workerLost)
            #expect(job.state.isTerminal != isRerunSafe)
            withExtendedLifetime(worker) {}
        }
    }

    @Test func whatWasLeasedBeforeAndIsThereGoesOn() async throws {
        try await Self.restoring { server, backUp in
            let worker = try await FakeWorker(server)
            _ = try await server.submit(#"{"command": ["x"], "name": "it"}"#)
            let lease = try await worker.assignment().lease
            try worker.progress(lease, .running)
            try worker.send(lease, .stdout, at: 0, "abc")
            try await eventually("its output is there") {
                try await server.request("GET", "/v1/jobs/it/output/stdout").body.readableBytes == 3
            }
            try backUp()
            try worker.send(lease, .stdout, at: 3, "def")
            return Before(worker: worker.id, token: worker.token, lease: lease)
        } after: { server, before in
            let worker = try await Self.returning(server, before)
            // The worker has all of it, and goes on from where the backup ends.
            #expect(worker.welcome.keep.map(\.stdoutBytes) == [3])
            try worker.send(before.lease, .stdout, at: 3, "def")
            #expect(try await worker.finish(before.lease) == .recorded)
            let job: Job = try await server.json("GET", "/v1/jobs/it")
            #expect(job.state == .succeeded)
            let output = try await server.request("GET", "/v1/jobs/it/output/stdout")
            #expect(String(buffer: output.body) == "abcdef")
        }
    }

    @Test func anIdSaysWhenItWasMade() {
        let moment = Timestamp(milliseconds: 1_800_000_000_123)
        #expect(AttemptID.make(at: moment).madeAt == moment)
        let future = LostFuture(
            databaseID: "x", backedUpAt: moment, restoredAt: moment.advanced(by: .seconds(100)))
        for (seconds, isOfIt) in [(-11, false), (-9, true), (50, true), (109, true), (111, false)] {
            let attempt = AttemptID.make(at: moment.advanced(by: .seconds(seconds)))
            #expect(future.mayHave(attempt) == isOfIt, "\(seconds)")
        }
    }
}
