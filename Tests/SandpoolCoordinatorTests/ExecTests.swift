import NIOCore
import SandpoolAPI
import SandpoolModel
import Testing

@testable import SandpoolCoordinator

/// Further commands in the sandboxes of jobs, between a real client and a worker that is driven by hand.
@Suite(.timeLimit(.minutes(1))) struct ExecTests {
    @Test func aCommandCarriesBothWaysAndEnds() async throws {
        try await TestServer.run { server in
            let worker = try await FakeWorker(server)
            let spec = #"{"command": ["x"], "environment": {"A": "job", "B": "job"}, "workdir": "/job", "user": "7"}"#
            let (job, lease) = try await server.running(on: worker, spec)
            var wanted = ExecSpec(command: ["cat"])
            wanted.environment = ["B": "own"]
            wanted.stdin = .stream
            let client = try await ExecClient(server, job.id.short, wanted)
            let created = try await client.created()
            let exec = try await worker.exec()
            #expect(created.id == exec.id && created.job == job.id && exec.lease == lease)
            #expect(exec.spec.environment == ["A": "job", "B": "own"])
            #expect(exec.spec.workingDirectory == "/job" && exec.spec.user == "7" && exec.spec.stdin == .stream)
            try worker.send(.execStarted(exec.id))
            #expect(try await client.next() == .started)

            let piece = InputFrame(
                id: exec.id.text, epoch: 0, offset: 0, isLast: false, bytes: ByteBuffer(string: "in"))
            try client.connection.send(.input(piece))
            guard case .input(let input)? = await worker.connection.next() else { throw TestFailure("no input") }
            #expect(String(buffer: input.bytes) == "in" && input.id == exec.id.text && input.epoch == lease.epoch)
            try worker.send(.execInputConsumed(exec.id, offset: 2))
            #expect(try await client.next() == .inputConsumed(2))
            try client.connection.send(ExecControl.signal(2))
            #expect(try await worker.next() == .execSignal(exec.id, signal: 2))
            try client.connection.send(ExecControl.cancel)
            #expect(try await worker.next() == .execCancel(exec.id))

            try worker.send(exec, .stdout, at: 0, "one ")
            try worker.send(exec, .stderr, at: 0, "warning")
            try worker.send(exec, .stdout, at: 4, "two")
            try worker.end(exec, Outcome(cause: .exited, exitCode: 3), stdout: 7, stderr: 7)
            let (stdout, stderr, end) = try await client.collect()
            #expect(stdout == "one two" && stderr == "warning")
            #expect(end == ExecEnd(Outcome(cause: .exited, exitCode: 3)) && end.returnCode == 3)
            #expect(await client.connection.next() == nil, "the stream ends")
            // Nothing of it is the job's.
            #expect(try await server.request("GET", "/v1/jobs/\(job.id)/output/stdout").body.readableBytes == 0)
            #expect(try await server.job(job.id).state == .running)
            try await worker.finish(lease)
        }
    }

    // MARK: Refusals

    private func refusal(
        _ server: TestServer, _ job: String, _ first: some Encodable = ExecSpec(command: ["true"]),
        token: String? = nil
    ) async throws -> Int {
        try await FrameConnection(
            server, path: Routes.exec(job), token: token ?? server.admin, first: first
        ).status
    }

    @Test func whatCannotRunIsRefusedByItsStatus() async throws {
        try await TestServer.run { server in
            let queued = try await server.submit(#"{"command": ["true"]}"#)
            #expect(try await refusal(server, queued.id.text) == 409)
            #expect(try await refusal(server, "nobody") == 404)
            #expect(try await server.failure("POST", Routes.exec(queued.id.text)).status == 415)
            let worker = try await FakeWorker(server)
            let lease = try await worker.assignment().lease
            #expect(try await refusal(server, queued.id.text) == 409, "it is starting")
            try worker.progress(lease, .running)
            for (first, status) in [
                (["command": [""]], 422), (["command": []], 422), (["command": ["a\u{0}"]], 422), (["cmd": ["a"]], 422),
                ([:], 400),
            ] as [([String: [String]], Int)] {
                #expect(try await refusal(server, queued.id.text, first) == status, "\(first)")
            }
            for (role, status) in [(TokenRole.read, 403), (.worker, 403)] {
                let token = try await server.token(role).secret
                #expect(try await refusal(server, queued.id.text, token: token) == status)
            }
            #expect(try await refusal(server, queued.id.text, token: "nonsense") == 401)
            try await worker.finish(lease)
            #expect(try await refusal(server, queued.id.text) == 409, "it has ended")
        }
    }

    @Test func aWorkerThatIsAwayIsNoPlaceForOne() async throws {
        try await TestServer.run { server in
            let worker = try await FakeWorker(server)
            let (job, _) = try await server.running(on: worker)
            worker.connection.finish()
            await #expect(throws: TestFailure.self) { _ = try await worker.next() }
            #expect(try await refusal(server, job.id.text) == 409)
        }
    }

    @Test func aJobHasSixteenAndOneThatIsLeftCountsUntilItIsGone() async throws {
        try await TestServer.run { server in
            let worker = try await FakeWorker(server)
            let (job, _) = try await server.running(on: worker)
            var clients: [ExecClient] = []
            for _ in 0..<ExecAssignment.perJob {
                clients.append(try await ExecClient(server, job.id.text, ExecSpec(command: ["sleep", "9"])))
            }
            var execs: [ExecAssignment] = []
            for _ in clients { execs.append(try await worker.exec()) }
            #expect(try await refusal(server, job.id.text) == 429)
            let left = try await clients[0].created().id
            clients[0].connection.vanish()
            #expect(try await worker.next() == .execLeave(left))
            #expect(try await refusal(server, job.id.text) == 429)
            let exec = try #require(execs.first { $0.id == left })
            try worker.end(exec, Outcome(cause: .cancelled, signal: 15))
            // In order behind the end, so that it is known to have been read.
            try worker.send(.heartbeat(sentMs: 1))
            #expect(try await worker.next() == .heartbeat(sentMs: 1))
            #expect(try await refusal(server, job.id.text) == 200)
        }
    }

    // MARK: Windows

    private static let chunk = String(repeating: "x", count: 64 << 10)

    /// A client that does not read holds up its own command and nothing else of its worker.
    @Test func aClientThatStallsHoldsUpNobody() async throws {
        try await TestServer.run { server in
            let worker = try await FakeWorker(server)
            let (job, _) = try await server.running(on: worker, #"{"command": ["x"], "cpus": 1}"#)
            let neighbour = try await server.running(on: worker, #"{"command": ["y"], "cpus": 1}"#)
            let stalled = try await ExecClient(server, job.id.text, ExecSpec(command: ["yes"]), reads: false)
            let exec = try await worker.exec()
            // What sockets hold is taken; then nothing is any more, and the window closes.
            var (sent, taken) = (Int64(0), Int64(0))
            while sent - taken + Int64(Self.chunk.utf8.count) <= ExecAssignment.outputWindow, sent < 64 << 20 {
                try worker.send(exec, .stdout, at: sent, Self.chunk)
                sent += Int64(Self.chunk.utf8.count)
                try worker.send(.heartbeat(sentMs: sent))
                while true {
                    let message = try await worker.next()
                    if case .execOutputTaken(exec.id, let stdout, _) = message { taken = max(taken, stdout) }
                    if message == .heartbeat(sentMs: sent) { break }
                }
            }
            #expect(sent < 64 << 20, "a client that reads nothing was written to without end")
            try worker.send(neighbour.lease, .stdout, at: 0, "untouched")
            try await worker.finish(neighbour.lease)
            #expect(try await server.job(neighbour.job.id, wait: true).state == .succeeded)
            withExtendedLifetime(stalled) {}
        }
    }

    @Test func whatIsReadMovesTheWindow() async throws {
        try await TestServer.run { server in
            let worker = try await FakeWorker(server)
            let (job, _) = try await server.running(on: worker)
            let client = try await ExecClient(server, job.id.text, ExecSpec(command: ["yes"]))
            let exec = try await worker.exec()
            client.endsItsRequest()
            for round in 0..<40 {
                let offset = Int64(round * Self.chunk.utf8.count)
                try worker.send(exec, .stderr, at: offset, Self.chunk)
                let end = offset + Int64(Self.chunk.utf8.count)
                #expect(try await worker.next() == .execOutputTaken(exec.id, stdout: 0, stderr: end))
            }
            try worker.end(exec, Outcome(cause: .exited, exitCode: 0), stderr: Int64(40 * Self.chunk.utf8.count))
            #expect(try await client.collect().stderr.utf8.count == 40 * Self.chunk.utf8.count)
        }
    }

    /// Frames of one byte, and of none, come together again and each stream in its order.
    @Test func theSmallestFramesCostNoMoreThanTheirBytes() async throws {
        try await TestServer.run { server in
            let worker = try await FakeWorker(server)
            let (job, _) = try await server.running(on: worker)
            let client = try await ExecClient(server, job.id.text, ExecSpec(command: ["yes"]))
            let exec = try await worker.exec()
            client.endsItsRequest()
            let text = (0..<2_000).map { String($0 % 10) }
            for (offset, digit) in text.enumerated() {
                try worker.send(exec, .stdout, at: Int64(offset), digit)
                try worker.send(exec, .stderr, at: Int64(offset), "")
                try worker.send(exec, .stderr, at: Int64(offset), digit)
            }
            try worker.end(exec, Outcome(cause: .exited, exitCode: 0), stdout: 2_000, stderr: 2_000)
            let (stdout, stderr, _) = try await client.collect()
            #expect(stdout == text.joined() && stderr == text.joined())
        }
    }

    // MARK: Ends that nobody asked for

    @Test func aClientThatVanishesLeavesAndItsOutputIsDropped() async throws {
        try await TestServer.run { server in
            let worker = try await FakeWorker(server)
            let (job, lease) = try await server.running(on: worker)
            let client = try await ExecClient(server, job.id.text, ExecSpec(command: ["yes"]))
            let exec = try await worker.exec()
            client.connection.vanish()
            #expect(try await worker.next() == .execLeave(exec.id))
            // Under way when the worker learns of it, and what it says then.
            try worker.send(exec, .stdout, at: 0, "late")
            try worker.send(.execStarted(exec.id))
            try worker.end(exec, Outcome(cause: .cancelled, signal: 15), stdout: 99)
            try worker.send(exec, .stdout, at: 0, "of one that nobody knows")
            #expect(try await worker.finish(lease) == .recorded)
        }
    }

    @Test func aLostWorkerIsSaidAndTheJobGoesOn() async throws {
        try await TestServer.run { server in
            let worker = try await FakeWorker(server)
            let (job, lease) = try await server.running(on: worker)
            let client = try await ExecClient(server, job.id.text, ExecSpec(command: ["yes"]))
            let exec = try await worker.exec()
            try worker.send(exec, .stdout, at: 0, "before")
            worker.connection.vanish()
            let error = await #expect(throws: APIError.self) { _ = try await client.collect() }
            #expect(error?.code == "exec_lost" && error?.hint?.hasPrefix("the job goes on") == true)
            // Whoever has its id on another session is not its worker.
            let held = [HeldAttempt(lease: lease, state: .running, stdoutBytes: 0, stderrBytes: 0)]
            let back = try await FakeWorker(server, id: worker.id, token: worker.token, held: held)
            try back.end(exec, Outcome(cause: .exited, exitCode: 0), stdout: 99)
            #expect(try await back.finish(lease) == .recorded)
        }
    }

    @Test func whatEndsWithTheJobIsToldWhole() async throws {
        try await TestServer.run { server in
            let worker = try await FakeWorker(server)
            let (job, lease) = try await server.running(on: worker)
            let client = try await ExecClient(server, job.id.text, ExecSpec(command: ["yes"]))
            let exec = try await worker.exec()
            #expect(try await worker.finish(lease) == .recorded)
            try worker.send(exec, .stdout, at: 0, "the rest")
            try worker.end(exec, Outcome(cause: .cancelled, message: "the job ended"), stdout: 8)
            let (stdout, _, end) = try await client.collect()
            #expect(stdout == "the rest" && end.cause == .cancelled && end.returnCode == 137)
        }
    }

    @Test func revokingTheTokenCutsIt() async throws {
        try await TestServer.run { server in
            let worker = try await FakeWorker(server)
            let (job, _) = try await server.running(on: worker)
            let token = try await server.token(.submit)
            let client = try await ExecClient(
                server, job.id.text, ExecSpec(command: ["yes"]), token: token.secret)
            let exec = try await worker.exec()
            _ = try await client.created()
            #expect(try await server.request("DELETE", "/v1/tokens/\(token.token.id)").status == 204)
            #expect(try await worker.next() == .execLeave(exec.id))
        }
    }
}
