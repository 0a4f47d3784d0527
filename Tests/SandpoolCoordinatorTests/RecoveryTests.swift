import NIOCore
import SandpoolAPI
import SandpoolModel
import Testing

@testable import SandpoolCoordinator

/// Lost connections, lost workers, and restarts.
@Suite(.timeLimit(.minutes(1)))
struct RecoveryTests {
    private static let safe = #"{"command": ["true"], "blockNetwork": true}"#
    private static let unsafe = #"{"command": ["true"], "rerun": "never"}"#

    @Test func aReconnectingWorkerKeepsWhatItHolds() async throws {
        try await TestServer.run { server in
            let first = try await FakeWorker(server)
            let job = try await server.submit(Self.safe)
            let lease = try await first.assignment().lease
            try first.progress(lease, .running)
            try first.send(lease, .stdout, at: 0, "before ")
            guard case .outputDurable(lease, let stdout, _) = try await first.next(acknowledgements: true) else {
                throw TestFailure("not durable")
            }
            #expect(stdout == 7)
            let stale = AttemptLease(attempt: .make(at: Timestamp(milliseconds: 1)), epoch: 1)
            let held = [lease, stale].map { HeldAttempt(lease: $0, state: .running, stdoutBytes: 7, stderrBytes: 0) }
            let second = try await FakeWorker(server, id: first.id, token: first.token, held: held)
            #expect(second.welcome.keep.map(\.lease) == [lease])
            #expect(second.welcome.keep.first?.stdoutBytes == 7)
            #expect(second.welcome.kill == [stale])
            await #expect(throws: TestFailure.self, "the first session is replaced") { _ = try await first.next() }
            try second.send(lease, .stdout, at: 7, "after")
            #expect(try await second.finish(lease) == .recorded)
            let ended = try await server.job(job.id, wait: true)
            #expect(ended.attempts.count == 1)
            let output = try await server.request("GET", "/v1/jobs/\(job.id)/output/stdout")
            #expect(String(buffer: output.body) == "before after")
        }
    }

    @Test func whatAWorkerNeverGotIsGivenAgain() async throws {
        try await TestServer.run { server in
            let first = try await FakeWorker(server)
            let job = try await server.submit(Self.unsafe)
            _ = try await first.assignment()
            let second = try await FakeWorker(server, id: first.id, token: first.token)
            let again = try await second.assignment()
            #expect(again.job == job.id)
            #expect(try await second.finish(again.lease) == .recorded)
        }
    }

    @Test(arguments: [true, false])
    func anotherBootEndsWhatRan(isSafe: Bool) async throws {
        try await TestServer.run { server in
            let first = try await FakeWorker(server)
            let job = try await server.submit(isSafe ? Self.safe : Self.unsafe)
            let lease = try await first.assignment().lease
            try first.progress(lease, .running)
            while try await server.job(job.id).state != .running { await Task.yield() }
            _ = try await FakeWorker(server, id: first.id, bootID: "boot-2", token: first.token)
            if isSafe {
                // Tried again after its delay, which may be over already.
                let again = try await server.job(job.id)
                #expect([.queued, .starting].contains(again.state))
                #expect(again.attempts.first?.state == .lost)
            } else {
                let ended = try await server.job(job.id, wait: true)
                #expect(ended.state == .errored)
                #expect(ended.cause == .workerLost)
                #expect(ended.returnCode == nil)
            }
        }
    }

    @Test func aSilentWorkersJobIsReplacedOrEndsAsLost() async throws {
        // Longer than a busy host holds the worker up that comes back.
        try await TestServer.run { configuration in
            configuration.timings.unreachableAfter = .seconds(3)
            configuration.timings.replaceAfter = .milliseconds(3_100)
            configuration.timings.lostAfter = .milliseconds(3_100)
        } _: { server in
            let safe = try await server.submit(Self.safe)
            let unsafe = try await server.submit(#"{"command":["true"],"rerun":"never","timeoutSeconds":0.01}"#)
            let worker = try await FakeWorker(server)
            guard case .assign(let both) = try await worker.next(),
                let lease = both.first(where: { $0.job == safe.id })?.lease
            else { throw TestFailure("no assignment") }
            let ended = try await server.job(unsafe.id, wait: true)
            #expect(ended.cause == .workerLost)
            while try await server.job(safe.id).attempts.first?.state != .superseded { await Task.yield() }
            // It comes back, holding what was given to another: it is told to kill, and its result is refused.
            let held = [HeldAttempt(lease: lease, state: .running, stdoutBytes: 0, stderrBytes: 0)]
            let back = try await FakeWorker(server, id: worker.id, token: worker.token, held: held)
            #expect(back.welcome.kill == [lease])
            try back.report(lease, Outcome(cause: .exited, exitCode: 9))
            #expect(try await back.verdict(of: lease) == .fenced)
            #expect(try await server.job(safe.id).exitCode == nil)
        }
    }

    @Test func aRestartedCoordinatorTakesUpRunningAttempts() async throws {
        let directory = try TestDirectory()
        let handover = Mailbox<(WorkerID, AttemptLease, JobID, String)>()
        try await TestServer.run(directory: directory) { server in
            let token = try await server.token(.worker).secret
            let worker = try await FakeWorker(server, token: token)
            let job = try await server.submit(Self.unsafe)
            let lease = try await worker.assignment().lease
            try worker.progress(lease, .running)
            try worker.send(lease, .stdout, at: 0, "kept ")
            _ = try await worker.next(acknowledgements: true)
            await handover.push((worker.id, lease, job.id, token))
        }
        guard let (worker, lease, job, token) = await handover.next() else { throw TestFailure("no handover") }
        try await TestServer.run(directory: directory) { server in
            #expect(try await server.job(job).state.isTerminal == false)
            let held = [HeldAttempt(lease: lease, state: .running, stdoutBytes: 5, stderrBytes: 0)]
            let run = try await RunClient(server, .follow(job: job.text, stdout: 0, stderr: 0))
            let back = try await FakeWorker(server, id: worker, token: token, held: held)
            #expect(back.welcome.generation == 2)
            #expect(back.welcome.keep.map(\.lease) == [lease])
            try back.send(lease, .stdout, at: 5, "and more")
            try await back.finish(lease, exitCode: 4)
            let (stdout, _, ended) = try await run.collect()
            #expect(stdout == "kept and more")
            #expect(ended.returnCode == 4)
            #expect(ended.attempts.count == 1)
        }
    }

    @Test func forgettingAWorkerEndsWhatItHeld() async throws {
        try await TestServer.run { server in
            let worker = try await FakeWorker(server)
            let job = try await server.submit(Self.unsafe)
            let lease = try await worker.assignment().lease
            try worker.progress(lease, .running)
            while try await server.job(job.id).state != .running { await Task.yield() }
            _ = try await server.json("POST", "/v1/workers/\(worker.id)/forget", as: WorkerInfo.self)
            #expect(try await server.job(job.id).cause == .workerLost)
            #expect(try await server.json("GET", "/v1/workers", as: [WorkerInfo].self).isEmpty)
        }
    }

    @Test func aDrainedWorkerGivesBackAndGetsNothing() async throws {
        try await TestServer.run { server in
            let worker = try await FakeWorker(server)
            _ = try await server.submit(Self.unsafe)
            let lease = try await worker.assignment().lease
            let drained: WorkerInfo = try await server.json("POST", "/v1/workers/fake/drain")
            #expect(drained.state == "draining")
            #expect(try await worker.next() == .drain)
            try worker.send(.returned([lease]))
            let other = try await FakeWorker(server)
            let again = try await other.assignment()
            #expect(again.lease.epoch == 2)
            try await other.finish(again.lease)
        }
    }

    @Test(arguments: [DisconnectPolicy.cancel, .detach])
    func aVanishedClientCancelsOrNot(policy: DisconnectPolicy) async throws {
        try await TestServer.run { configuration in
            configuration.timings.disconnectGrace = .milliseconds(50)
        } _: { server in
            let worker = try await FakeWorker(server)
            var spec = JobSpec(command: ["sleep"])
            spec.onDisconnect = policy
            let run = try await RunClient(server, .submit(spec))
            let job = try await run.created()
            let lease = try await worker.assignment().lease
            run.connection.vanish()
            if policy == .cancel {
                #expect(try await worker.next() == .cancel(lease))
            } else {
                try await worker.finish(lease)
                #expect(try await server.job(job, wait: true).state == .succeeded)
            }
        }
    }
}
