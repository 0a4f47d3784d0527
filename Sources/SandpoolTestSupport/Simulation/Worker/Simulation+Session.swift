import SandpoolAPI
import SandpoolModel
import SandpoolWorker

/// A worker's end of its session: what `CoordinatorSession` does around the worker's state.
extension Simulation {
    func connect(_ host: Int) {
        guard let worker = hosts[host].worker, worker.connection == nil else { return }
        feed(host, .sessionOpens)
        guard let session = hosts[host].worker?.state.sessionNumber, hosts[host].worker?.start == worker.start else {
            return
        }
        dial(from: host, session: session)
        guard let connection = hosts[host].worker?.connection, let hello = hosts[host].worker?.state.hello(images: [])
        else { return }
        hosts[host].worker?.renewals = [Int64.max: now]
        hosts[host].worker?.isWelcome = false
        send(UpItem.message(.hello(hello)), on: connection)
        guard let start = hosts[host].worker?.start else { return }
        after(5_000_000, .worker(host: host, start: start, .checkSilence(session: session)))
    }

    func isRefused(_ host: Int, _ session: Int) {
        feed(host, .coordinatorIsDown(session: session))
        endSession(host, session)
    }

    /// No answer came in time (`CoordinatorSession.answerTimeout`).
    func giveUp(_ host: Int, _ session: Int) {
        guard let worker = hosts[host].worker, worker.state.sessionNumber == session, !worker.isWelcome else { return }
        endSession(host, session)
    }

    func checkSilence(_ host: Int, _ session: Int) {
        guard let worker = hosts[host].worker, worker.state.sessionNumber == session, worker.connection != nil else {
            return
        }
        if worker.state.isSilent(session: session, at: moment(host)) { return endSession(host, session) }
        after(5_000_000, .worker(host: host, start: worker.start, .checkSilence(session: session)))
    }

    private func endSession(_ host: Int, _ session: Int) {
        guard let worker = hosts[host].worker, worker.state.sessionNumber == session else { return }
        if let connection = worker.connection { closeAtWorker(connection) }
        hosts[host].worker?.connection = nil
        hosts[host].worker?.isWelcome = false
        feed(host, .sessionEnded(session))
        guard hosts[host].worker?.start == worker.start else { return }
        // As `Backoff` waits.
        let losses = hosts[host].losses
        hosts[host].losses += 1
        let longest: Int64 = losses == 0 ? 0 : min(10_000_000, 100_000 << Int64(min(losses, 20) - 1))
        after(chance.number(longest / 2...longest), .worker(host: host, start: worker.start, .connect))
    }

    func receive(_ item: DownItem, atWorkerOn number: Int) {
        let (host, session) = (connections[number].host, connections[number].session)
        guard hosts[host].worker?.connection == number else { return }
        switch item {
        case .end: endSession(host, session)
        case .message(.welcome(let welcome)):
            hosts[host].worker?.isWelcome = true
            hosts[host].losses = 0
            noteRenewal(host, sentMs: .max)
            for lease in welcome.kill {
                note(.killedOnWelcome)
                expectEnd(of: lease.attempt)
            }
            if welcome.keep.contains(where: { $0.stdoutBytes + $0.stderrBytes > 0 }) { note(.outputResumed) }
            feed(host, .welcome(altered(welcome), session: session))
            wakeWriter(host)
        case .message(.failed): endSession(host, session)
        case .message(let message):
            noteAnswer(message, to: host)
            if case .kill(let lease) = message { expectEnd(of: lease.attempt) }
            feed(host, .message(altered(message, for: host), session: session))
        }
    }

    /// What the worker's own clock is held against: when it sent what the coordinator has now answered.
    private func noteRenewal(_ host: Int, sentMs: Int64) {
        guard let sent = hosts[host].worker?.renewals.removeValue(forKey: sentMs) else { return }
        hosts[host].renewedAt = max(hosts[host].renewedAt, sent)
    }

    private func noteAnswer(_ message: CoordinatorMessage, to host: Int) {
        switch message {
        case .heartbeat(let sentMs): noteRenewal(host, sentMs: sentMs)
        case .recorded(let results):
            for result in results {
                switch result.verdict {
                case .recorded: break
                case .duplicate: note(.resultRepeated)
                case .fenced: note(.resultFenced)
                }
            }
        default: break
        }
    }

    // MARK: Writing

    /// The writer looks again, once for everything that comes until then.
    func wakeWriter(_ host: Int) {
        guard let worker = hosts[host].worker, worker.isWelcome, !worker.isWriteDue else { return }
        hosts[host].worker?.isWriteDue = true
        after(chance.number(Int64(5)...50), .worker(host: host, start: worker.start, .write))
    }

    func write(_ host: Int) {
        hosts[host].worker?.isWriteDue = false
        guard let worker = hosts[host].worker, worker.isWelcome, let connection = worker.connection,
            hasRoom(connection)
        else { return }
        let items = hosts[host].worker?.state.takeOutbound() ?? []
        for item in items { send(item, from: host, on: connection) }
        if !items.isEmpty { wakeWriter(host) }
    }

    private func send(_ item: WorkerState.Item, from host: Int, on connection: Int) {
        switch item {
        case .message(let message):
            say("worker \(host) sends \(message)")
            if case .heartbeat(let sentMs) = message { hosts[host].worker?.renewals[sentMs] = now }
            if case .results(let results) = message {
                for result in results { checkJournal(holds: result.lease, on: host) }
                if variant == .journalDroppedEarly {
                    for result in results { addToJournal(.settled(result.lease), on: host) }
                }
            }
            send(UpItem.message(message), on: connection)
        case .output(let lease, let stream, let offset, let count):
            say("worker \(host) sends \(count) bytes of \(lease.attempt.short) at \(offset)")
            let source = OutputPiece.Source(sandbox: lease.attempt, stream: stream, offset: offset)
            checkSpool(holds: source, count: Int64(count))
            send(
                UpItem.output(
                    OutputPiece(
                        attempt: lease.attempt, epoch: lease.epoch, stream: stream, offset: offset,
                        count: Int64(count), source: source)), on: connection)
        }
    }
}
