import NIOCore
import SandpoolAPI
import SandpoolModel

/// The worker's side of the session, driven by hand.
final class FakeWorker: Sendable {
    let id: WorkerID
    let token: String
    let connection: FrameConnection
    let welcome: WorkerWelcome

    static let size = Resources(cpuMillis: 2_000, memoryBytes: 4 << 30, diskBytes: 8 << 30)

    static func newID() -> WorkerID { .make(at: Timestamp(milliseconds: 1_700_000_000_000)) }

    init(
        _ server: TestServer, id: WorkerID = newID(), name: String = "fake", bootID: String = "boot-1",
        token: String? = nil, capacity: Resources = size, labels: [String: String] = [:], held: [HeldAttempt] = [],
        verification: VerificationSummary? = nil, makesDisks: Bool? = nil
    ) async throws {
        self.id = id
        let secret: String
        if let token { secret = token } else { secret = try await server.token(.worker).secret }
        self.token = secret
        let hello = WorkerHello(
            id: id, name: name, bootID: bootID, capacity: capacity, labels: labels, images: ["host"],
            offersHostImage: true, held: held, softwareVersion: "test", verification: verification,
            makesDisks: makesDisks)
        connection = try await FrameConnection(
            server, path: Routes.workerSession, token: secret, first: WorkerMessage.hello(hello))
        guard connection.status == 200, let frame = await connection.next() else {
            throw TestFailure("no answer: \(connection.status)")
        }
        switch try frame.message(as: CoordinatorMessage.self) {
        case .welcome(let welcome): self.welcome = welcome
        case .failed(let error): throw error
        default: throw TestFailure("no welcome")
        }
    }

    /// The next message that is not about durable output or heartbeats, unless asked for.
    func next(acknowledgements: Bool = false) async throws -> CoordinatorMessage {
        while let frame = await connection.next() {
            guard case .json = frame else { continue }
            let message = try frame.message(as: CoordinatorMessage.self)
            if case .outputDurable = message, !acknowledgements { continue }
            return message
        }
        throw TestFailure("the session ended")
    }

    func assignment() async throws -> Assignment {
        guard case .assign(let list) = try await next(), let first = list.first else {
            throw TestFailure("not an assignment")
        }
        return first
    }

    func send(_ message: WorkerMessage) throws { try connection.send(message) }

    func send(_ lease: AttemptLease, _ stream: OutputStreamCode, at offset: Int64, _ text: String) throws {
        try connection.send(
            .output(
                OutputFrame(
                    id: lease.attempt.text, epoch: lease.epoch, stream: stream, offset: offset,
                    bytes: ByteBuffer(string: text))))
    }

    /// The exec that the worker is asked for next.
    func exec() async throws -> ExecAssignment {
        guard case .exec(let exec) = try await next() else { throw TestFailure("not an exec") }
        return exec
    }

    func send(_ exec: ExecAssignment, _ stream: OutputStreamCode, at offset: Int64, _ text: String) throws {
        try connection.send(
            .output(
                OutputFrame(
                    id: exec.id.text, epoch: exec.lease.epoch, stream: stream, offset: offset,
                    bytes: ByteBuffer(string: text))))
    }

    func end(_ exec: ExecAssignment, _ outcome: Outcome, stdout: Int64 = 0, stderr: Int64 = 0) throws {
        try send(.execEnded(ExecResult(id: exec.id, outcome: outcome, stdoutBytes: stdout, stderrBytes: stderr)))
    }

    func progress(_ lease: AttemptLease, _ state: AttemptState) throws {
        try send(.progress([AttemptProgress(lease: lease, state: state, at: moment)]))
    }

    /// Reports an end and waits for the verdict.
    @discardableResult
    func finish(
        _ lease: AttemptLease, exitCode: Int = 0, stdout: OutputTail? = nil
    ) async throws -> RecordedResult.Verdict {
        try report(lease, Outcome(cause: .exited, exitCode: exitCode), stdout: stdout)
        return try await verdict(of: lease)
    }

    func report(_ lease: AttemptLease, _ outcome: Outcome, stdout: OutputTail? = nil) throws {
        try send(
            .results([
                AttemptResult(
                    lease: lease, outcome: outcome, evidence: Evidence(), startedAt: moment, finishedAt: moment,
                    stdoutTail: stdout)
            ]))
    }

    func verdict(of lease: AttemptLease) async throws -> RecordedResult.Verdict {
        while true {
            guard case .recorded(let results) = try await next() else { continue }
            if let result = results.first(where: { $0.lease == lease }) { return result.verdict }
        }
    }

    /// In the future, so that the coordinator takes its own time.
    private let moment = Timestamp(milliseconds: 4_000_000_000_000)
}

/// The client's side of a run.
final class RunClient: Sendable {
    let connection: FrameConnection

    init(_ server: TestServer, _ request: RunRequest, token: String? = nil, reads: Bool = true) async throws {
        connection = try await FrameConnection(
            server, path: Routes.run, token: token ?? server.admin, first: request, reads: reads)
    }

    enum Event: Sendable {
        case event(RunEvent)
        case output(OutputFrame)
    }

    func next() async throws -> Event? {
        guard let frame = await connection.next() else { return nil }
        if case .output(let output) = frame { return .output(output) }
        return .event(try frame.message(as: RunEvent.self))
    }

    func created() async throws -> JobID {
        guard case .event(.created(let id, _))? = try await next() else { throw TestFailure("not created") }
        return id
    }

    /// Everything to the end: both streams, and the job.
    func collect() async throws -> (stdout: String, stderr: String, job: Job) {
        var text: [OutputStreamCode: String] = [:]
        while let event = try await next() {
            switch event {
            case .output(let frame): text[frame.stream, default: ""] += String(buffer: frame.bytes)
            case .event(.finished(let job)): return (text[.stdout] ?? "", text[.stderr] ?? "", job)
            case .event(.failed(let error)): throw error
            case .event: continue
            }
        }
        throw TestFailure("the run ended without an end: \(await connection.ending())")
    }
}
