import AsyncHTTPClient
import NIOCore
import SandpoolAPI
import SandpoolModel
import SandpoolTestSupport
import Testing

@testable import SandpoolCoordinator

/// Workers that lie about execs, and clients that flood them.
@Suite(.timeLimit(.minutes(1))) struct HostileExecTests {
    struct Attack: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let frames: @Sendable (ExecAssignment) throws -> [Frame]

        init(_ name: String, _ frames: @escaping @Sendable (ExecAssignment) throws -> [Frame]) {
            testDescription = name
            self.frames = frames
        }

        static func output(_ name: String, _ edit: @escaping @Sendable (inout OutputFrame) -> Void) -> Attack {
            Attack(name) { exec in
                var frame = OutputFrame(
                    id: exec.id.text, epoch: exec.lease.epoch, stream: .stdout, offset: 0,
                    bytes: ByteBuffer(string: "x"))
                edit(&frame)
                return [.output(frame)]
            }
        }

        static func end(_ name: String, _ edit: @escaping @Sendable (inout ExecResult) -> Void) -> Attack {
            Attack(name) { exec in
                var result = ExecResult(
                    id: exec.id, outcome: Outcome(cause: .exited, exitCode: 0), stdoutBytes: 0, stderrBytes: 0)
                edit(&result)
                return [try .message(WorkerMessage.execEnded(result))]
            }
        }
    }

    static let attacks: [Attack] = [
        .output("output with a gap") { $0.offset = 1 },
        .output("output at the end of the range") { $0.offset = SessionLimits.offset },
        .output("output of another epoch") { $0.epoch += 1 },
        .output("more than the window") { frame in
            frame.bytes = ByteBuffer(repeating: 1, count: Int(ExecAssignment.outputWindow) + 1)
        },
        .output("more than the job's limit") { frame in frame.bytes = ByteBuffer(repeating: 1, count: 300_000 + 129) },
        .end("an end before its output") { $0.stdoutBytes = 1 },
        .end("a code of another range") { $0.outcome.exitCode = 256 },
        .end("a negative size") { $0.stderrBytes = -1 },
        Attack("input taken before its begin") { exec in
            [try .message(WorkerMessage.execInputConsumed(exec.id, offset: -1))]
        },
    ]

    @Test(arguments: attacks)
    func whatCannotBeEndsTheSessionAndTellsTheClient(attack: Attack) async throws {
        try await TestServer.run { server in
            let worker = try await FakeWorker(server)
            let (job, lease) = try await server.running(
                on: worker, #"{"command": ["x"], "rerun": "never", "outputBytes": 300000}"#)
            let client = try await ExecClient(server, job.id.text, ExecSpec(command: ["x"]))
            let exec = try await worker.exec()
            for frame in try attack.frames(exec) { try worker.connection.send(frame) }
            let error = await #expect(throws: APIError.self) { _ = try await client.collect() }
            #expect(error?.code == "exec_lost")
            let held = [HeldAttempt(lease: lease, state: .running, stdoutBytes: 0, stderrBytes: 0)]
            let back = try await FakeWorker(server, id: worker.id, token: worker.token, held: held)
            #expect(try await back.finish(lease, exitCode: 5) == .recorded)
            #expect(try await server.job(job.id, wait: true).exitCode == 5, "the job is untouched")
        }
    }

    /// What one worker says of another's exec, or of one that nobody knows, changes nothing.
    @Test func anotherWorkersExecIsOutOfReach() async throws {
        try await TestServer.run { server in
            let worker = try await FakeWorker(server)
            let (job, _) = try await server.running(on: worker)
            let client = try await ExecClient(server, job.id.text, ExecSpec(command: ["x"]))
            let exec = try await worker.exec()
            let other = try await FakeWorker(server, capacity: .zero)
            let unknown = ExecAssignment(
                id: .make(at: Timestamp(milliseconds: 1)), lease: exec.lease, spec: exec.spec)
            for target in [exec, unknown] {
                try other.send(target, .stdout, at: 0, "forged")
                try other.send(.execStarted(target.id))
                try other.send(.execInputConsumed(target.id, offset: 9))
                try other.end(target, Outcome(cause: .exited, exitCode: 99))
            }
            try other.send(.heartbeat(sentMs: 1))
            #expect(try await other.next() == .heartbeat(sentMs: 1), "all of it was read")
            // Said twice is said once.
            try worker.send(.execStarted(exec.id))
            try worker.send(.execStarted(exec.id))
            try worker.send(exec, .stdout, at: 0, "true")
            try worker.end(exec, Outcome(cause: .exited, exitCode: 0), stdout: 4)
            try worker.end(exec, Outcome(cause: .exited, exitCode: 98), stdout: 4)
            _ = try await client.created()
            #expect(try await client.next() == .started)
            let (stdout, _, end) = try await client.collect()
            #expect(stdout == "true" && end.exitCode == 0)
            try worker.send(.heartbeat(sentMs: 2))
            while try await worker.next() != .heartbeat(sentMs: 2) {}
        }
    }

    /// Everything before the command's first frame goes on with its token, too.
    @Test func aTokenThatIsRevokedBeforeTheFirstFrameStartsNothing() async throws {
        try await TestServer.run { server in
            let worker = try await FakeWorker(server)
            let (job, _) = try await server.running(on: worker)
            let token = try await server.token(.submit)
            let (asked, gate) = (Mailbox<Void>(), Mailbox<ByteBuffer>())
            // Asked for the first piece of the body once the head went.
            let body = AsyncStream<ByteBuffer> {
                await asked.push(())
                return await gate.next()
            }
            var request = HTTPClientRequest(url: server.url(Routes.exec(job.id.text)))
            request.method = .POST
            request.headers.add(name: "Content-Type", value: WorkerSession.contentType)
            request.headers.add(name: "Authorization", value: "Bearer \(token.secret)")
            request.body = .stream(body, length: .unknown)
            let answer = Task { [request] in
                try await server.client.execute(request, deadline: .distantFuture).status.code
            }
            _ = await asked.next()
            #expect(try await server.request("DELETE", "/v1/tokens/\(token.token.id)").status == 204)
            var first = ByteBuffer()
            try Frame.message(ExecSpec(command: ["x"])).encode(into: &first)
            await gate.push(first)
            let status = try? await answer.value
            #expect(status == nil || status == 401)
            await gate.finish()
            try worker.send(.heartbeat(sentMs: 1))
            #expect(try await worker.next() == .heartbeat(sentMs: 1), "the worker is asked for nothing")
        }
    }

    /// What waits for a worker that does not read stays far below what ends its session.
    @Test func requestsThatHaveNotStartedAreBounded() async throws {
        try await TestServer.run { server in
            let worker = try await FakeWorker(server)
            let (job, _) = try await server.running(on: worker)
            var spec = ExecSpec(command: ["x"])
            // Each byte is six in JSON.
            spec.command += Array(repeating: String(repeating: "\u{1}", count: 100_000), count: 4)
            let large = spec
            @Sendable func status() async throws -> Int {
                try await FrameConnection(
                    server, path: Routes.exec(job.id.text), token: server.admin, first: large
                ).status
            }
            let client = try await ExecClient(server, job.id.text, large)
            let exec = try await worker.exec()
            #expect(try await status() == 429)
            try worker.send(.execStarted(exec.id))
            _ = try await client.created()
            #expect(try await client.next() == .started)
            #expect(try await status() == 200)
        }
    }

    /// Its connection could last as long as TCP does, and the coordinator's stop would wait for it.
    @Test func aSessionThatEndsTakesItsCommandsAlongThoughItsWorkerReadsNothing() async throws {
        let kept = Mailbox<FrameConnection>()
        try await TestServer.run { server in
            let id = FakeWorker.newID()
            let hello = WorkerHello(
                id: id, name: "deaf", bootID: "boot-1", capacity: FakeWorker.size, labels: [:], images: ["host"],
                offersHostImage: true, held: [], softwareVersion: "test")
            let worker = try await FrameConnection(
                server, path: Routes.workerSession, token: try await server.token(.worker).secret,
                first: WorkerMessage.hello(hello), reads: false)
            await kept.push(worker)
            let job = try await server.submit(#"{"command": ["sleep", "60"]}"#).id
            try await eventually("it is leased") { try await !server.job(job).attempts.isEmpty }
            let attempt = try #require(try await server.job(job).attempts.first)
            let lease = AttemptLease(attempt: attempt.id, epoch: attempt.epoch)
            let progress = AttemptProgress(lease: lease, state: .running, at: attempt.createdAt)
            try worker.send(WorkerMessage.progress([progress]))
            try await eventually("it runs") { try await server.job(job).state == .running }
            // More than the sockets hold. Each byte is six in JSON.
            var spec = ExecSpec(command: ["x"])
            spec.command += Array(repeating: String(repeating: "\u{1}", count: 100_000), count: 4)
            var clients: [ExecClient] = []
            for _ in 0..<6 {
                let client = try await ExecClient(server, job.text, spec)
                try worker.send(WorkerMessage.execStarted(try await client.created().id))
                #expect(try await client.next() == .started)
                clients.append(client)
            }
            #expect(try await server.request("POST", "/v1/workers/\(id)/resume").status == 200)
            for client in clients {
                let error = await #expect(throws: APIError.self) { _ = try await client.collect() }
                #expect(error?.code == "exec_lost")
            }
        }
        _ = await kept.next()
    }

    @Test func aClientThatFloodsOrSpeaksNonsenseEndsItsOwnCommand() async throws {
        try await TestServer.run { server in
            let worker = try await FakeWorker(server)
            let (job, lease) = try await server.running(on: worker)
            let nonsense: [@Sendable (ExecClient) throws -> Void] = [
                { client in for _ in 0..<5_000 { try client.connection.send(ExecControl.signal(2)) } },
                { try $0.connection.send(["frob": 1]) },
                { try $0.connection.send(ExecControl.signal(99)) },
                { $0.connection.send(raw: ByteBuffer(string: "GET / HTTP/1.1\r\n\r\n")) },
                { client in
                    try client.connection.send(
                        .output(
                            OutputFrame(id: "x", epoch: 0, stream: .stdout, offset: 0, bytes: ByteBuffer(string: "x"))))
                },
            ]
            for speak in nonsense {
                let client = try await ExecClient(server, job.id.text, ExecSpec(command: ["x"]))
                let exec = try await worker.exec()
                try speak(client)
                await #expect(throws: APIError.self) { _ = try await client.collect() }
                while try await worker.next() != .execLeave(exec.id) {}
                try worker.end(exec, Outcome(cause: .cancelled, signal: 15))
            }
            #expect(try await worker.finish(lease) == .recorded)
        }
    }
}
