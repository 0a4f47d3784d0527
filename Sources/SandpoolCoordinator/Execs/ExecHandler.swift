import Hummingbird
import NIOCore
import SandpoolAPI
import SandpoolModel

/// Serves `POST /v1/jobs/REF/exec`: one further command in the sandbox of a job that runs.
struct ExecHandler: Sendable {
    let parts: CoordinatorParts
    let channel: any Channel

    /// Most signals of one client: they wait in the worker's queue, which a flood of them must not fill.
    private static let controls = 4_096

    /// Asks the job's worker for the command that the first frame names.
    ///
    /// - Throws: what is the response's status: 404, 409 where the job does not run or its worker is away, 422, 429.
    func open(_ reference: String, _ frames: RequestFrames) async throws -> Exec {
        let job = try await parts.jobs.resolve(reference)
        guard let first = try await frames.next() else {
            throw APIError(
                status: 400, code: "invalid_request", message: "the body is empty",
                hint: "begin it with a frame that says what to run")
        }
        let spec: ExecSpec = try first.message()
        try spec.validate(limits: parts.configuration.pool.limits)
        let (attempt, session) = try await parts.jobs.running(job)
        let (id, lease) = (ExecID.make(at: parts.clock.now), AttemptLease(attempt.lease))
        let request = try encoded(ExecAssignment(id: id, lease: lease, spec: spec.completed(from: attempt.spec)))
        let exec = Exec(
            id: id, job: job, lease: lease, session: session, outputBytes: attempt.spec.resources.outputBytes,
            requestBytes: request.bytes)
        try parts.execs.add(exec)
        if spec.stdin == .stream { parts.execs.inputs.open(exec.id, isNew: true) }
        session.send(request.frame)
        // From here on whatever becomes of the connection ends the command with it.
        channel.closeFuture.whenComplete { _ in leave(exec) }
        // A session that ended meanwhile may have been through its execs before this one was among them.
        if parts.core.session(of: session.worker) !== session { parts.execs.end(of: session) }
        return exec
    }

    /// Encoded before anything is promised: one that is too long would end the worker's session.
    private func encoded(_ assignment: ExecAssignment) throws -> (frame: Frame, bytes: Int) {
        do {
            let frame = try Frame.message(CoordinatorMessage.exec(assignment))
            return (frame, frame.payloadBytes)
        } catch FrameError.payloadTooLong {
            throw APIError.tooLarge("the command with the job's environment", limit: Int64(Frame.payloadLimit))
        }
    }

    /// Passes on what comes, both ways, until the command has ended or the client is gone.
    func serve(_ exec: Exec, _ frames: RequestFrames, _ writer: inout any ResponseBodyWriter) async throws {
        defer { leave(exec) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await read(frames, exec) }
            while let items = await exec.next() {
                var bytes = ByteBuffer()
                for item in items { try encode(item, of: exec, into: &bytes) }
                try await writer.write(bytes)
                if let taken = exec.written(items) {
                    exec.session.send(.execOutputTaken(exec.id, stdout: taken.stdout, stderr: taken.stderr))
                }
            }
            try await writer.finish(nil)
            group.cancelAll()
        }
    }

    /// The client is gone, or has everything. One that leaves before the end ends its command.
    private func leave(_ exec: Exec) {
        parts.execs.inputs.drop(exec.id)
        if exec.leave() { exec.session.send(.execLeave(exec.id)) }
    }

    private func encode(_ item: Exec.Item, of exec: Exec, into bytes: inout ByteBuffer) throws {
        switch item {
        case .event(let event): try Frame.message(event).encode(into: &bytes)
        case .output(let stream, let offset, let chunk):
            try Frame.output(
                OutputFrame(id: exec.id.text, epoch: 0, stream: stream, offset: offset, bytes: chunk)
            ).encode(into: &bytes)
        }
    }

    // MARK: What the client says

    private func read(_ frames: RequestFrames, _ exec: Exec) async {
        var controls = 0
        do {
            while let frame = try await frames.next() {
                if case .json = frame { controls += 1 }
                guard controls <= Self.controls else {
                    throw APIError(
                        status: 400, code: "too_many", message: "more than \(Self.controls) signals to one command",
                        hint: "run a command that waits, and feed it by standard input")
                }
                try await handle(frame, exec)
            }
            // The client's end of its request means no more input; one that vanished is known by its closed channel.
            if channel.isActive, !Task.isCancelled, parts.execs.inputs.end(exec.id) { parts.execs.push(exec) }
        } catch {
            exec.fail(APIError(any: error))
        }
    }

    private func handle(_ frame: Frame, _ exec: Exec) async throws {
        switch frame {
        case .input(let input):
            if try await parts.execs.inputs.receive(input, for: exec.id) { parts.execs.push(exec) }
        case .output: throw FrameError.malformed("a client sends no output")
        case .json:
            switch try frame.checkedMessage(as: ExecControl.self) {
            case .signal(let number): exec.session.send(.execSignal(exec.id, signal: number))
            case .cancel: exec.session.send(.execCancel(exec.id))
            }
        }
    }
}

extension ExecTable {
    /// Sends the worker what input it may have now.
    func push(_ exec: Exec) {
        inputs.push(exec.id, id: exec.id.text, epoch: exec.lease.epoch, to: exec.session)
        exec.session.flush()
    }
}
