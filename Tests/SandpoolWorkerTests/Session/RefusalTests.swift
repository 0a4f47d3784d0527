import HTTPTypes
import NIOCore
import SandpoolAPI
import SandpoolModel
import Testing

@testable import SandpoolWorker

/// Coordinators that will not have this worker, and hostile ones.
@Suite(.timeLimit(.minutes(1))) struct RefusalTests {
    /// The one line that a worker ends with.
    private func ending(
        refusal: (status: HTTPResponse.Status, error: APIError)? = nil,
        _ body: @Sendable @escaping (TestCoordinator) async throws -> Void
    ) async throws -> String {
        let error = await #expect(throws: WorkerError.self) {
            try await RunningWorker.with(refusal: refusal) { coordinator, _ in
                try await body(coordinator)
                // Only the worker's own end is waited for from here on.
                _ = try await coordinator.session()
                Issue.record("the worker tried again")
            }
        }
        let line = try #require(error?.description)
        #expect(!line.contains("\n") && !line.contains("\u{1B}"), "\(line)")
        return line
    }

    @Test(arguments: [HTTPResponse.Status.unauthorized, .forbidden])
    func aRefusedTokenEndsTheWorkerInOneLine(status: HTTPResponse.Status) async throws {
        let error = APIError(status: 0, code: "unauthorized", message: "no\nsuch \u{1B}[2Jtoken", hint: "make one")
        let line = try await ending(refusal: (status, error)) { _ in }
        #expect(line.contains("refused the worker's token") && line.contains("; make one"))
    }

    @Test(arguments: [WorkerSession.Refusal.unsupportedVersion, .foreignWorker, .invalidMessage])
    func aRefusalInPlaceOfTheWelcomeEndsTheWorker(refusal: WorkerSession.Refusal) async throws {
        let line = try await ending { coordinator in
            let session = try await coordinator.session()
            _ = try await session.hello()
            let error = APIError(status: 0, code: refusal.rawValue, message: "not\nyou", hint: "do this")
            try session.send(.failed(error))
            session.end()
        }
        #expect(line.contains("refused the worker: not") && line.hasSuffix("you; do this"))
    }

    @Test func aWelcomeOfAnotherVersionEndsTheWorker() async throws {
        let line = try await ending { coordinator in
            let session = try await coordinator.session()
            _ = try await session.hello()
            try session.send(.json(ByteBuffer(string: #"{"welcome":{"_0":{"version":9,"else":true}}}"#)))
        }
        #expect(line.contains("version 9") && line.contains("run the same release on both"))
    }

    @Test func aFailureThatMayPassIsTriedAgain() async throws {
        try await RunningWorker.with { coordinator, _ in
            let first = try await coordinator.session()
            _ = try await first.hello()
            try first.send(.failed(APIError(status: 0, code: "disk_full", message: "full")))
            first.end()
            let second = try await coordinator.session()
            _ = try await second.welcome()
            try second.send(.failed(APIError(status: 0, code: "invalid_message", message: "after the welcome")))
            second.end()
            _ = try await coordinator.session().welcome()
        }
    }

    // MARK: Hostile coordinators

    private static let stale = AttemptLease(attempt: Samples.attempt(9), epoch: -1)

    @Test(arguments: [
        .signal(Samples.lease(1), signal: .max), .signal(Samples.lease(1), signal: -1), .kill(stale), .cancel(stale),
        .outputDurable(Samples.lease(1), stdout: .min, stderr: 0),
        .outputDurable(Samples.lease(1), stdout: 0, stderr: .max),
        .heartbeat(sentMs: .min), .recorded([RecordedResult(lease: stale, verdict: .fenced)]),
        .assign([Assignment(lease: stale, job: Samples.job(1), spec: JobSpec(command: ["true"]))]),
    ] as [CoordinatorMessage])
    func whatCannotBeEndsTheSessionAndLosesNothing(message: CoordinatorMessage) async throws {
        try await RunningWorker.with { coordinator, launcher in
            let first = try await coordinator.session()
            _ = try await first.welcome()
            try first.send(.assign([Samples.assignment(1)]))
            try await launcher.request { $0 == .start(id: Samples.attempt(1).text) }
            try first.send(message)
            let second = try await coordinator.session()
            let held = try await second.hello().held
            #expect(held.map(\.lease) == [Samples.lease(1)])
        }
    }

    @Test(arguments: [
        [0xFF, 0xFF, 0xFF, 0xFF, 1], [0, 0, 0, 1, 9, 0], [0, 0, 0, 2, 1, 0x7B, 0x7B], [0, 0, 0, 1, 3, 0xFF],
    ] as [[UInt8]])
    func brokenFramesEndTheSession(bytes: [UInt8]) async throws {
        try await RunningWorker.with { coordinator, _ in
            let first = try await coordinator.session()
            _ = try await first.welcome()
            first.send(raw: ByteBuffer(bytes: bytes))
            _ = try await coordinator.session().welcome()
        }
    }

    /// Extreme values inside their types' ranges reach the launcher as bounds, and nothing traps.
    @Test func anExtremeSpecIsClamped() async throws {
        try await RunningWorker.with { coordinator, launcher in
            let session = try await coordinator.session()
            _ = try await session.welcome()
            let extreme = Samples.assignment(1) { spec in
                spec.resources.cpus = 1e300
                spec.resources.memoryBytes = .min
                spec.resources.diskBytes = .max
                spec.resources.pids = .min
                spec.resources.outputBytes = .min
                spec.timeoutSeconds = 1e300
                spec.graceSeconds = -1e300
                spec.idleTimeoutSeconds = 1e-300
            }
            try session.send(.assign([extreme]))
            try session.send(.heartbeat(sentMs: .max))
            try session.send(.outputDurable(extreme.lease, stdout: SessionLimits.offset, stderr: SessionLimits.offset))
            try await launcher.request { $0 == .start(id: extreme.lease.attempt.text) }
            try launcher.exit(extreme.lease.attempt, .exited(code: 255))
            #expect(try await session.results().first?.outcome.exitCode == 255)
        }
    }
}
