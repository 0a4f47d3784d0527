import Hummingbird
import Logging
import NIOCore
import SandpoolAPI
import SandpoolModel
import SandpoolStore

/// Serves one worker's session from its first frame to its last: reads its frames and writes what waits for it.
struct WorkerSessionHandler: Sendable {
    let parts: CoordinatorParts
    let channel: any Channel
    let principal: Principal

    /// How long a worker may take to read the rest of a session that was ended here.
    private static let restPatience = TimeAmount.seconds(5)

    private var logger: Logger { parts.logger }

    func serve(_ body: RequestBody, _ writer: inout any ResponseBodyWriter) async throws {
        let outbox = Outbox()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { outbox.close() }
                do {
                    try await read(body, outbox: outbox)
                } catch {
                    logger.warning("worker session broken: \(error)")
                    outbox.queue(.message(.failed(APIError(any: error))))
                    try? outbox.flush()
                }
            }
            group.addTask { await cut(after: outbox.end) }
            while let bytes = await outbox.next() { try await writer.write(bytes) }
            try await writer.finish(nil)
            group.cancelAll()
        }
    }

    /// Ends the connection of a session that is over and whose worker does not read: until then its reader would wait
    /// for a frame, and the writer for room.
    private func cut(after end: Signal) async {
        while await end.wait() {}
        let timer = channel.eventLoop.scheduleTask(in: Self.restPatience) { channel.close(promise: nil) }
        let over = Signal()
        // Until this task is cancelled, once the worker has read everything.
        while await over.wait() {}
        timer.cancel()
    }

    private func read(_ body: RequestBody, outbox: Outbox) async throws {
        var decoder = FrameDecoder()
        var session: WorkerLink?
        try await withThrowingTaskGroup(of: Void.self) { group in
            defer {
                if let session {
                    parts.core.end(session)
                    parts.execs.end(of: session)
                }
            }
            for try await bytes in body {
                decoder.append(bytes)
                while let frame = try decoder.next() {
                    if let session {
                        guard await session.waitUntilReadable() else { return }
                        try await handle(frame, of: session)
                    } else {
                        let hello = try hello(in: frame)
                        let opened = begin(hello, outbox)
                        session = opened
                        let first = parts.core.open(opened, hello)
                        group.addTask { await parts.core.serve(opened, from: first) }
                    }
                }
            }
            try decoder.finish()
        }
    }

    private func hello(in frame: Frame) throws -> WorkerHello {
        if let version = frame.openingVersion, version != WorkerSession.version {
            throw APIError.unsupportedVersion(version)
        }
        guard case .hello(let hello) = try frame.checkedMessage(as: WorkerMessage.self) else {
            throw FrameError.malformed("a session begins with hello")
        }
        return hello
    }

    private func begin(_ hello: WorkerHello, _ outbox: Outbox) -> WorkerLink {
        parts.core.begin { id in
            WorkerLink(
                id: id, worker: hello.id, token: principal.token, openedAt: parts.clock.now,
                verification: hello.verification, outbox: outbox, channel: channel, logger: logger)
        }
    }

    // MARK: Frames

    private func handle(_ frame: Frame, of session: WorkerLink) async throws {
        switch frame {
        case .output(let output): try await take(output, of: session)
        case .input: throw FrameError.malformed("a worker sends no input")
        case .json: try take(try frame.checkedMessage(as: WorkerMessage.self), bytes: frame.payloadBytes, of: session)
        }
    }

    private func take(_ frame: OutputFrame, of session: WorkerLink) async throws {
        if let id = AttemptID(frame.id) {
            let range = OutputRange(
                attempt: id, epoch: frame.epoch, stream: frame.stream, offset: frame.offset,
                count: frame.bytes.readableBytes)
            await parts.core.take(frame.bytes, range, of: session)
        } else {
            parts.core.feed(.heard(session.id))
            if let id = ExecID(frame.id) { try parts.execs.exec(id, of: session)?.take(frame) }
        }
    }

    private func take(_ message: WorkerMessage, bytes: Int, of session: WorkerLink) throws {
        if case .heartbeat(let sentMs) = message {
            parts.core.feed(.heartbeat(session.id, sentMs: sentMs))
            return
        }
        let report: WorkerReport?
        do throws(FrameError) { report = try WorkerReport(message, of: session.worker) } catch {
            return session.abort("reports could not be recorded: \(error)")
        }
        if let report {
            parts.core.feed(.reported(session.id, report, bytes: bytes))
            return
        }
        parts.core.feed(.heard(session.id))
        switch message {
        case .hello: throw FrameError.malformed("a second hello")
        case .inputConsumed(let lease, let offset): consumed(lease, to: offset, of: session)
        case .execStarted(let id): parts.execs.exec(id, of: session)?.started()
        case .execInputConsumed(let id, let offset): consumed(id, to: offset, of: session)
        case .execEnded(let result): try end(result, of: session)
        case .heartbeat, .progress, .results, .returned: break
        }
    }

    private func consumed(_ lease: AttemptLease, to offset: Int64, of session: WorkerLink) {
        guard let attempt = parts.core.attempt(LeaseKey(lease, worker: session.worker)),
            let taken = parts.inputs.consumed(attempt.job, to: offset)
        else { return }
        parts.hub.publish(.inputConsumed(taken), to: attempt.job)
        parts.inputs.push(attempt.job, for: lease, to: session)
        session.flush()
    }

    private func consumed(_ id: ExecID, to offset: Int64, of session: WorkerLink) {
        guard let exec = parts.execs.exec(id, of: session),
            let taken = parts.execs.inputs.consumed(id, to: offset)
        else { return }
        exec.consumed(taken)
        parts.execs.push(exec)
    }

    private func end(_ result: ExecResult, of session: WorkerLink) throws {
        guard let exec = parts.execs.exec(result.id, of: session) else { return }
        // One that it lies about stays, and ends with the session.
        try exec.end(result)
        parts.execs.remove(exec)
    }
}
