import NIOCore
import SandpoolAPI
import SandpoolModel

/// The client's side of an exec.
final class ExecClient: Sendable {
    let connection: FrameConnection

    /// - Parameter reads: `false` for a client that never reads what it gets.
    init(
        _ server: TestServer, _ job: String, _ spec: ExecSpec, token: String? = nil, reads: Bool = true
    ) async throws {
        connection = try await FrameConnection(
            server, path: Routes.exec(job), token: token ?? server.admin, first: spec, reads: reads)
    }

    /// Says that no input follows. AsyncHTTPClient drops what it has not passed on of an answer that ends before its
    /// request (HTTPRequestStateMachine), so a test of much output ends it first.
    func endsItsRequest() { connection.finish() }

    func next() async throws -> ExecEvent {
        guard let frame = await connection.next() else {
            throw TestFailure("the exec ended without an end: \(await connection.ending())")
        }
        return try frame.message()
    }

    func created() async throws -> (id: ExecID, job: JobID) {
        guard case .created(let id, let job) = try await next() else { throw TestFailure("not created") }
        return (id, job)
    }

    /// Everything to the end.
    func collect() async throws -> (stdout: String, stderr: String, end: ExecEnd) {
        var text: [OutputStreamCode: String] = [:]
        while let frame = await connection.next() {
            if case .output(let output) = frame {
                text[output.stream, default: ""] += String(buffer: output.bytes)
                continue
            }
            switch try frame.message(as: ExecEvent.self) {
            case .ended(let end): return (text[.stdout] ?? "", text[.stderr] ?? "", end)
            case .failed(let error): throw error
            case .created, .started, .inputConsumed: continue
            }
        }
        throw TestFailure("the exec ended without an end: \(await connection.ending())")
    }
}

extension TestServer {
    /// A job that runs on `worker`.
    func running(on worker: FakeWorker, _ spec: String = #"{"command": ["sleep", "60"]}"#) async throws -> (
        job: Job, lease: AttemptLease
    ) {
        let job = try await submit(spec)
        let lease = try await worker.assignment().lease
        try worker.progress(lease, .running)
        try await reaches(.running, job.id)
        return (job, lease)
    }

    private func reaches(_ state: JobState, _ job: JobID) async throws {
        let run = try await RunClient(self, .follow(job: job.text, stdout: .max, stderr: .max))
        while let event = try await run.next() {
            if case .event(.state(state, _, _)) = event { return run.connection.vanish() }
        }
        throw TestFailure("never \(state)")
    }
}
