import NIOCore
import SandpoolAPI
import SandpoolModel
import SandpoolWorker

/// A worker's journal on its disk: what `ResultJournal` does.
extension Simulation {
    func journal(_ result: AttemptResult, _ stdout: Range<Int64>?, _ stderr: Range<Int64>?, on host: Int) {
        var result = result
        result.stdoutTail = stdout.flatMap { tail(of: result.lease.attempt, .stdout, $0) }
        result.stderrTail = stderr.flatMap { tail(of: result.lease.attempt, .stderr, $0) }
        if result.stdoutTail != nil || result.stderrTail != nil { note(.tailOutput) }
        if variant == .resultAfterTeardown { ask(host, .release(id: result.lease.attempt.text)) }
        addToJournal(.result(result), on: host)
        guard variant == .journalAnsweredEarly, let start = hosts[host].worker?.start else { return }
        after(0, .worker(host: host, start: start, .feed(.journaled(result))))
    }

    private func tail(of attempt: AttemptID, _ stream: OutputStreamCode, _ range: Range<Int64>) -> OutputTail? {
        guard !range.isEmpty else { return nil }
        checkSpool(
            holds: OutputPiece.Source(sandbox: attempt, stream: stream, offset: range.lowerBound),
            count: Int64(range.count))
        let bytes = Truth.bytes(of: attempt, stream, range)
        return OutputTail(offset: range.lowerBound, bytes: ByteBuffer(bytes: bytes))
    }

    /// At once when idle; what comes during a write goes into the next one.
    func addToJournal(_ line: WorkerDisk<AttemptRecord>.Line, on host: Int) {
        if case .settled(let lease) = line, truth.attempts[lease.attempt]?.end == nil {
            fail("the journal drops the result of \(lease.attempt), which is not recorded")
        }
        hosts[host].worker?.journal.waiting.append(line)
        if hosts[host].worker?.journal.writing.isEmpty ?? false { writeJournal(host) }
    }

    private func writeJournal(_ host: Int) {
        guard let worker = hosts[host].worker, !worker.journal.waiting.isEmpty else { return }
        hosts[host].worker?.journal.writing = worker.journal.waiting
        hosts[host].worker?.journal.waiting = []
        after(diskTime(host), .worker(host: host, start: worker.start, .journalIsWritten))
    }

    private func diskTime(_ host: Int) -> Int64 {
        hosts[host].isDiskSlow ? chance.span(10_000...5_000_000) : chance.number(Int64(50)...800)
    }

    func journalIsWritten(_ host: Int) {
        guard let worker = hosts[host].worker else { return }
        let lines = worker.journal.writing
        guard !hosts[host].isDiskFull else {
            hosts[host].worker?.journal.writing = []
            for case .settled(let lease) in lines { hosts[host].unsettled.insert(lease) }
            for case .result(let result) in lines {
                feed(host, .journalFailed(result.lease, "the journal cannot be written: no space left on device"))
                guard hosts[host].worker?.start == worker.start else { return }
            }
            return writeJournal(host)
        }
        hosts[host].disk.append(lines)
        let end = hosts[host].disk.journal.count
        hosts[host].worker?.journal.isWritten = true
        hosts[host].worker?.journal.end = end
        // Notes of settling alone are not synced.
        let isSynced = lines.contains { if case .result = $0 { true } else { false } }
        after(isSynced ? diskTime(host) : 0, .worker(host: host, start: worker.start, .journalIsSynced))
    }

    func journalIsSynced(_ host: Int) {
        guard let worker = hosts[host].worker else { return }
        let lines = worker.journal.writing
        hosts[host].worker?.journal.writing = []
        hosts[host].worker?.journal.isWritten = false
        if lines.contains(where: { if case .result = $0 { true } else { false } }) {
            hosts[host].disk.sync(lines: worker.journal.end)
            if lines.count > 1 { note(.commitTogether) }
        }
        writeJournal(host)
        if variant != .journalAnsweredEarly { feedJournaled(lines, on: host) }
    }

    private func feedJournaled(_ lines: [WorkerDisk<AttemptRecord>.Line], on host: Int) {
        let start = hosts[host].worker?.start
        for case .result(let result) in lines {
            guard hosts[host].worker?.start == start else { return }
            feed(host, .journaled(result))
        }
    }
}
