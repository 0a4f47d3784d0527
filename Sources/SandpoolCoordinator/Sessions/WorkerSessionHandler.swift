import Hummingbird
import Logging
import NIOCore
import SandpoolAPI
import SandpoolModel
import SandpoolStore

/// Serves one worker's session from its first frame to its last.
struct WorkerSessionHandler: Sendable {
    let parts: CoordinatorParts
    let channel: any Channel
    let principal: Principal

    private var logger: Logger { parts.logger }

    func serve(_ body: RequestBody, _ writer: inout any ResponseBodyWriter) async throws {
        let outbox = Outbox()
        let reports = WorkerReports()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer {
                    reports.close()
                    outbox.close()
                }
                do {
                    try await read(body, outbox: outbox, reports: reports)
                } catch {
                    logger.warning("worker session broken: \(error)")
                    try? outbox.send(.message(CoordinatorMessage.failed(APIError(any: error))))
                }
            }
            while let bytes = await outbox.next() { try await writer.write(bytes) }
            try await writer.finish(nil)
            group.cancelAll()
        }
    }

    private func read(_ body: RequestBody, outbox: Outbox, reports: WorkerReports) async throws {
        var decoder = FrameDecoder()
        var session: WorkerLink?
        try await withThrowingTaskGroup(of: Void.self) { group in
            defer {
                reports.close()
                if let session {
                    if parts.sessions.remove(session) { parts.scheduler.post(.disconnected(session.worker)) }
                    parts.execs.end(of: session)
                }
            }
            for try await bytes in body {
                decoder.append(bytes)
                while let frame = try decoder.next() {
                    if let session {
                        try await handle(frame, of: session, reports: reports)
                    } else {
                        let opened = try await open(frame, outbox: outbox)
                        session = opened
                        group.addTask { await record(reports, of: opened) }
                    }
                }
            }
            try decoder.finish()
        }
    }

    // MARK: Opening

    private func open(_ frame: Frame, outbox: Outbox) async throws -> WorkerLink {
        if let version = frame.openingVersion, version != WorkerSession.version {
            throw APIError.unsupportedVersion(version)
        }
        guard case .hello(let hello) = try frame.checkedMessage(as: WorkerMessage.self) else {
            throw FrameError.malformed("a session begins with hello")
        }
        // Refused before anything is done to the session and the leases of the worker whose id it is.
        let enrolment: WorkerEnrolment
        do {
            enrolment = try await parts.store.upsertWorker(
                WorkerRegistration(hello), token: principal.token, now: parts.clock.now)
        } catch StoreError.foreignWorker(let id) {
            throw APIError.foreignWorker(id)
        }
        parts.workers.update(enrolment.record)
        // No lease may be on its way to the old session while the inventory is compared.
        parts.sessions.session(of: hello.id)?.abort("the worker opened another one")
        parts.scheduler.post(.disconnected(hello.id))
        await parts.scheduler.settle()
        let session = WorkerLink(
            worker: hello.id, token: principal.token, openedAt: parts.clock.now,
            verification: hello.verification, outbox: outbox, channel: channel, logger: logger)
        let (welcome, kept) = try await reconcile(hello, previousBootID: enrolment.previousBootID)
        session.send(.welcome(welcome))
        if enrolment.record.drain != nil { session.send(.drain) }
        parts.leases.heard(hello.id)
        parts.sessions.replace(session)?.abort("the worker opened another one")
        for attempt in kept {
            if attempt.cancelRequested { session.send(.cancel(AttemptLease(attempt.lease))) }
            parts.inputs.push(attempt.job, for: AttemptLease(attempt.lease), to: session)
        }
        let held = Dictionary(kept.map { ($0.job, $0.resources) }) { first, _ in first }
        var offer = WorkerOffer(enrolment.record)
        if let distrust = session.distrust {
            offer.drains = true
            logger.error("worker gets no jobs: \(distrust)", metadata: ["worker": "\(hello.id)"])
        }
        parts.scheduler.post(.connected(offer, held: held))
        if enrolment.record.drain != nil { parts.drains.wake() }
        logger.info(
            "worker connected", metadata: ["worker": "\(hello.id)", "name": "\(hello.name)", "held": "\(kept.count)"])
        return session
    }

    private func reconcile(
        _ hello: WorkerHello, previousBootID: String?
    ) async throws -> (WorkerWelcome, kept: [LiveAttempt]) {
        let live = try await parts.store.liveAttempts(worker: hello.id)
        let isSameBoot = previousBootID == nil || previousBootID == hello.bootID
        let result = Reconciliation(held: hello.held, live: live, isSameBoot: isSameBoot)
        try await parts.ledger.returnLeases(result.returned)
        try await parts.ledger.recordLosses(
            result.lost.map {
                .workerLost($0, isSameBoot ? "the worker lost the attempt" : "the worker's host was restarted")
            })
        let gone = Set(result.returned + result.lost)
        let kept = live.filter { !gone.contains($0.lease) }
        if kept.contains(where: { $0.unreachableSince != nil }) {
            try await parts.store.setUnreachable(worker: hello.id, since: nil)
        }
        var keep: [HeldAttempt] = []
        for attempt in result.keep {
            guard let job = kept.first(where: { AttemptLease($0.lease) == attempt.lease })?.job else { continue }
            var durable = attempt
            durable.stdoutBytes = try await flush(job, attempt.lease.attempt, .stdout)
            durable.stderrBytes = try await flush(job, attempt.lease.attempt, .stderr)
            keep.append(durable)
        }
        let timings = parts.configuration.timings
        let welcome = WorkerWelcome(
            generation: parts.store.identity.generation, leaseSeconds: timings.lease.inSeconds,
            heartbeatSeconds: timings.heartbeat.inSeconds, replaceSeconds: timings.replaceAfter.inSeconds, keep: keep,
            kill: result.kill)
        return (welcome, kept)
    }

    private func flush(_ job: JobID, _ attempt: AttemptID, _ code: OutputStreamCode) async throws -> Int64 {
        try await parts.output.flush(OutputStore.StreamID(job: job, attempt: attempt, code: code))
    }

    // MARK: Frames

    private func handle(_ frame: Frame, of session: WorkerLink, reports: WorkerReports) async throws {
        parts.leases.heard(session.worker)
        switch frame {
        case .output(let output):
            try await take(output, of: session)
        case .input:
            throw FrameError.malformed("a worker sends no input")
        case .json:
            let bytes = frame.payloadBytes
            switch try frame.checkedMessage(as: WorkerMessage.self) {
            case .hello: throw FrameError.malformed("a second hello")
            case .heartbeat(let sentMs): session.send(.heartbeat(sentMs: sentMs))
            case .progress(let steps): await reports.add(bytes) { $0.progress += steps }
            case .results(let results): await reports.add(bytes) { $0.results += results }
            case .returned(let leases): await reports.add(bytes) { $0.returned += leases }
            case .inputConsumed(let lease, let offset): consumed(lease, to: offset, of: session)
            case .execStarted(let id): parts.execs.exec(id, of: session)?.started()
            case .execInputConsumed(let id, let offset): consumed(id, to: offset, of: session)
            case .execEnded(let result): try end(result, of: session)
            }
        }
    }

    /// The attempt of a lease, where this worker holds it.
    private func attempt(_ id: AttemptID, epoch: Int64, of session: WorkerLink) -> RunningAttempt? {
        let key = LeaseKey(attempt: id, epoch: epoch, worker: session.worker)
        return parts.table.attempt(id).flatMap { $0.lease == key ? $0 : nil }
    }

    private func take(_ frame: OutputFrame, of session: WorkerLink) async throws {
        if let id = ExecID(frame.id) { try parts.execs.exec(id, of: session)?.take(frame) }
        guard let id = AttemptID(frame.id), let attempt = attempt(id, epoch: frame.epoch, of: session) else { return }
        let stream = OutputStore.StreamID(job: attempt.job, attempt: id, code: frame.stream)
        let limit = attempt.spec.resources.outputBytes ?? .max
        // A stream that was cut ends with the mark that says so.
        guard frame.offset - SpecBounds.outputMarkBytes <= limit - Int64(frame.bytes.readableBytes) else {
            throw FrameError.malformed("output of \(id) beyond its limit of \(limit) bytes")
        }
        switch try await parts.output.append(stream, offset: frame.offset, frame.bytes) {
        case .stored:
            parts.hub.publish(
                frame.stream, offset: frame.offset, frame.bytes, at: parts.clock.now, of: attempt.job)
        case .repeated:
            parts.acknowledgeOutput(of: attempt, on: session)
        case .gap(let end):
            throw FrameError.malformed("output of \(id) goes on at \(frame.offset), and only \(end) bytes are here")
        }
    }

    private func consumed(_ lease: AttemptLease, to offset: Int64, of session: WorkerLink) {
        guard let attempt = attempt(lease.attempt, epoch: lease.epoch, of: session) else { return }
        guard let taken = parts.inputs.consumed(attempt.job, to: offset) else { return }
        parts.hub.publish(.inputConsumed(taken), to: attempt.job)
        parts.inputs.push(attempt.job, for: lease, to: session)
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

    // MARK: Recording

    /// Records reports as they come, everything that came together in one commit.
    private func record(_ reports: WorkerReports, of session: WorkerLink) async {
        while let batch = await reports.next() {
            do {
                try await record(batch, of: session)
            } catch {
                // Nothing was answered, so the worker reports it all again to its next session.
                session.abort("reports could not be recorded: \(error)")
                return
            }
        }
    }

    private func record(_ batch: WorkerReports.Batch, of session: WorkerLink) async throws {
        let worker = session.worker
        // A result repeats what its attempt's progress said.
        let ended = Set(batch.results.map(\.lease))
        let steps = batch.progress.filter { !ended.contains($0.lease) }
        try await parts.ledger.recordProgress(steps.map { (LeaseKey($0.lease, worker: worker), $0) })
        try await parts.ledger.returnLeases(batch.returned.map { LeaseKey($0, worker: worker) })
        var reports: [ResultReport] = []
        for result in batch.results {
            let lease = result.lease
            if let attempt = attempt(lease.attempt, epoch: lease.epoch, of: session) {
                // The result says that the output is whole, so the output has to be safe first.
                for (code, tail) in [(OutputStreamCode.stdout, result.stdoutTail), (.stderr, result.stderrTail)] {
                    let end = try await flush(attempt.job, lease.attempt, code)
                    guard tail?.offset ?? 0 <= end else {
                        throw FrameError.malformed("a result's output goes on beyond byte \(end), where it ends here")
                    }
                }
            }
            reports.append(try ResultReport(result, worker: worker))
        }
        let answers = try await parts.ledger.recordResults(reports)
        if !answers.isEmpty { session.send(.recorded(answers)) }
    }
}

extension WorkerRegistration {
    init(_ hello: WorkerHello) {
        self.init(
            id: hello.id, name: hello.name, labels: hello.labels, capacity: hello.capacity, images: hello.images,
            offersHostImage: hello.offersHostImage, bootID: hello.bootID, softwareVersion: hello.softwareVersion,
            makesDisks: hello.makesDisks ?? true)
    }
}

extension ResultReport {
    /// - Throws: `FrameError` for a tail that is not base 64 or too long.
    fileprivate init(_ result: AttemptResult, worker: WorkerID) throws {
        var tails: [InlineOutput] = []
        for (stream, tail) in [(OutputStream.stdout, result.stdoutTail), (.stderr, result.stderrTail)] {
            guard let tail else { continue }
            guard let bytes = tail.bytes else { throw FrameError.malformed("the \(stream.rawValue) tail of a result") }
            guard bytes.readableBytes > 0 else { continue }
            tails.append(InlineOutput(stream: stream, offset: tail.offset, bytes: Array(buffer: bytes)))
        }
        self.init(
            lease: LeaseKey(result.lease, worker: worker), outcome: result.outcome, evidence: result.evidence,
            startedAt: result.startedAt, finishedAt: result.finishedAt, tails: tails, downloads: result.downloads)
    }
}

extension Duration {
    /// The duration in seconds, as JSON carries it.
    var inSeconds: Double { Double(wholeMilliseconds) / 1_000 }
}
