import NIOCore
import SandpoolAPI
import SandpoolModel
import Testing

@testable import SandpoolCoordinator

/// Workers that speak another version, lie about what they are, and send what cannot be.
@Suite(.timeLimit(.minutes(1)))
struct HostileWorkerTests {
    @Test(arguments: [0, 1, 2, 4, Int.min, Int.max])
    func anotherVersionIsRefusedByNameWhateverElseItSays(version: Int) async throws {
        try await TestServer.run { server in
            let token = try await server.token(.worker).secret
            let connection = try await FrameConnection(
                server, path: Routes.workerSession, token: token, first: ["hello": ["_0": ["version": version]]])
            guard case .failed(let error) = try await connection.next()?.message(as: CoordinatorMessage.self) else {
                throw TestFailure("not refused")
            }
            #expect(error.code == WorkerSession.Refusal.unsupportedVersion.rawValue)
            #expect(error.message.contains("\(version)") && error.hint != nil)
            #expect(await connection.next() == nil, "the session ends")
            #expect(try await server.json("GET", "/v1/workers", as: [WorkerInfo].self).isEmpty)
        }
    }

    @Test(arguments: [
        Resources(cpuMillis: .max, memoryBytes: .max, diskBytes: .max),
        Resources(cpuMillis: -1, memoryBytes: 0, diskBytes: 0),
        Resources(cpuMillis: 0, memoryBytes: .min, diskBytes: 0),
    ])
    func impossibleCapacityIsRefused(capacity: Resources) async throws {
        try await TestServer.run { server in
            let error = await #expect(throws: APIError.self) { _ = try await FakeWorker(server, capacity: capacity) }
            #expect(error?.code == WorkerSession.Refusal.invalidMessage.rawValue)
            #expect(error?.message.hasPrefix("hello.capacity.") == true)
        }
    }

    @Test func theLargestCapacityIsScheduledLikeAnyOther() async throws {
        try await TestServer.run { server in
            let most = SessionLimits.capacity
            let worker = try await FakeWorker(
                server, capacity: Resources(cpuMillis: most, memoryBytes: most, diskBytes: most))
            _ = try await server.submit(#"{"command": ["true"]}"#)
            #expect(try await worker.finish(try await worker.assignment().lease) == .recorded)
        }
    }

    /// What one hostile message looks like, given a lease that is really held.
    struct Attack: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let message: @Sendable (AttemptLease) -> WorkerMessage

        init(_ name: String, _ message: @escaping @Sendable (AttemptLease) -> WorkerMessage) {
            testDescription = name
            self.message = message
        }

        /// A result with one thing wrong.
        static func result(_ name: String, _ edit: @escaping @Sendable (inout AttemptResult) -> Void) -> Attack {
            Attack(name) { lease in
                let moment = Timestamp(milliseconds: 1_800_000_000_000)
                var result = AttemptResult(
                    lease: lease, outcome: Outcome(cause: .exited, exitCode: 0), evidence: Evidence(),
                    startedAt: moment, finishedAt: moment)
                edit(&result)
                return .results([result])
            }
        }
    }

    static let attacks: [Attack] = [
        Attack("a negative heartbeat") { _ in .heartbeat(sentMs: .min) },
        Attack("input consumed before its begin") { .inputConsumed($0, offset: .min) },
        Attack("input consumed at the end of the range") { .inputConsumed($0, offset: .max) },
        Attack("a negative epoch") { .returned([AttemptLease(attempt: $0.attempt, epoch: .min)]) },
        Attack("more leases than anybody holds") {
            .returned(Array(repeating: $0, count: SessionLimits.attempts + 1))
        },
        Attack("progress that is an end") {
            .progress([AttemptProgress(lease: $0, state: .finished, at: Timestamp(milliseconds: 0))])
        },
        .result("an exit code of another range") { $0.outcome.exitCode = .max },
        .result("a negative exit code") { $0.outcome.exitCode = .min },
        .result("a signal that overflows") { $0.outcome = Outcome(cause: .signaled, signal: .max) },
        .result("an exit code and a signal") { $0.outcome.signal = 9 },
        .result("exited without a code") { $0.outcome.exitCode = nil },
        .result("a long message") { $0.outcome.message = String(repeating: "x", count: 1 << 20) },
        .result("a tail before its stream") { $0.stdoutTail = OutputTail(offset: -1, base64: "") },
        .result("a tail at the end of the range") { $0.stderrTail = OutputTail(offset: .max, base64: "AAAA") },
        .result("a tail that is too long") {
            $0.stdoutTail = OutputTail(offset: 0, base64: String(repeating: "A", count: 1 << 20))
        },
        .result("a digest that is a path") { $0.downloads = "../../coordinator.sqlite" },
        .result("a negative measurement") { $0.evidence.wallMs = .min },
        .result("too many stages") { result in
            for number in 0...SessionLimits.stages { result.evidence.stagesMs["\(number)"] = 1 }
        },
    ]

    @Test(arguments: attacks)
    func whatCannotBeEndsTheSessionAndNothingElse(attack: Attack) async throws {
        try await TestServer.run { server in
            let worker = try await FakeWorker(server)
            let job = try await server.submit(#"{"command": ["true"], "rerun": "never"}"#)
            let lease = try await worker.assignment().lease
            try worker.send(attack.message(lease))
            guard case .failed(let error) = try await worker.next() else { throw TestFailure("not refused") }
            #expect(error.code == "invalid_message")
            #expect(!error.message.contains("\n") && error.message.utf8.count < 1_024)
            await #expect(throws: TestFailure.self) { _ = try await worker.next() }
            // The attempt is untouched, and the worker may come back with it.
            let held = [HeldAttempt(lease: lease, state: .running, stdoutBytes: 0, stderrBytes: 0)]
            let back = try await FakeWorker(server, id: worker.id, token: worker.token, held: held)
            #expect(back.welcome.keep.map(\.lease) == [lease])
            #expect(try await back.finish(lease, exitCode: 5) == .recorded)
            #expect(try await server.job(job.id).exitCode == 5)
        }
    }

    /// Nothing that adds to one of these may trap.
    @Test func theLargestAllowedValuesAreTaken() async throws {
        try await TestServer.run { server in
            let worker = try await FakeWorker(server)
            let job = try await server.submit(#"{"command": ["true"], "stdin": "stream"}"#)
            let lease = try await worker.assignment().lease
            try worker.send(.heartbeat(sentMs: .max))
            #expect(try await worker.next() == .heartbeat(sentMs: .max))
            try worker.send(.inputConsumed(lease, offset: SessionLimits.offset))
            // The last moment that RFC 3339 can name.
            let end = Timestamp(milliseconds: 253_402_300_799_999)
            try worker.send(.progress([AttemptProgress(lease: lease, state: .running, at: end)]))
            #expect(try await worker.finish(lease, exitCode: 255) == .recorded)
            let ended = try await server.job(job.id, wait: true)
            #expect(ended.returnCode == 255)
        }
    }

    @Test(arguments: [
        OutputTail(offset: 0, base64: "no base 64"), OutputTail(offset: 1, base64: "AAAA"),
        OutputTail(offset: SessionLimits.offset, base64: "AAAA"),
    ])
    func aTailThatDoesNotContinueTheOutputEndsTheSession(tail: OutputTail) async throws {
        try await TestServer.run { server in
            let worker = try await FakeWorker(server)
            let job = try await server.submit(#"{"command": ["true"], "rerun": "never"}"#)
            let lease = try await worker.assignment().lease
            try worker.report(lease, Outcome(cause: .exited, exitCode: 0), stdout: tail)
            await #expect(throws: TestFailure.self) { _ = try await worker.next() }
            #expect(try await !server.job(job.id).state.isTerminal)
        }
    }

    /// What is cut at the limit has a mark behind it; more than that is no output of a spooler's.
    @Test(arguments: [(128, true), (129, false)]) func outputEndsAtItsLimitAndTheMark(
        beyond: Int, isTaken: Bool
    ) async throws {
        try await TestServer.run { server in
            let worker = try await FakeWorker(server)
            let job = try await server.submit(#"{"command": ["true"], "outputBytes": 1000, "rerun": "never"}"#)
            let lease = try await worker.assignment().lease
            try worker.send(lease, .stdout, at: 0, String(repeating: "x", count: 1_000))
            try worker.send(lease, .stdout, at: 1_000, String(repeating: "y", count: beyond))
            if isTaken {
                #expect(try await worker.finish(lease, exitCode: 5) == .recorded)
                #expect(try await server.job(job.id).exitCode == 5)
            } else {
                guard case .failed(let error) = try await worker.next() else { throw TestFailure("not refused") }
                #expect(error.code == "invalid_frame")
            }
        }
    }

    @Test(arguments: [(-1, 0), (0, .min)] as [(Int64, Int64)])
    func aRunIsNotFollowedFromBeforeItsBegin(stdout: Int64, stderr: Int64) async throws {
        try await TestServer.run { server in
            let job = try await server.submit(#"{"command": ["true"]}"#)
            let run = try await RunClient(server, .follow(job: job.id.text, stdout: stdout, stderr: stderr))
            guard case .event(.failed(let error)) = try await run.next() else { throw TestFailure("not refused") }
            #expect(error.code == "invalid_message")
        }
    }

    @Test func aRunIsFollowedFromBeyondItsEnd() async throws {
        try await TestServer.run { server in
            let worker = try await FakeWorker(server)
            let job = try await server.submit(#"{"command": ["true"]}"#)
            let run = try await RunClient(server, .follow(job: job.id.text, stdout: .max - 1, stderr: .max))
            _ = try await run.created()
            let lease = try await worker.assignment().lease
            try worker.send(lease, .stdout, at: 0, "nobody asked for this")
            try await worker.finish(lease)
            #expect(try await run.collect().stdout == "")
        }
    }
}
