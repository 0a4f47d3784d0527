import SandpoolAPI
import SandpoolModel
import SandpoolStore

/// What has to be so once there is nothing left to do.
extension Simulation {
    /// What is still to do, in words; `nil` at rest.
    var restlessness: String? {
        guard coordinator.process?.isListening ?? false else { return "the coordinator does not run" }
        for (job, client) in clients.enumerated() {
            guard client.isAccepted, let id = client.id else { return "client \(job) has no answer" }
            guard let state = coordinator.store.jobs[id]?.state, state.isTerminal else {
                return "job \(job) is \(coordinator.store.jobs[id]?.state.rawValue ?? "gone")"
            }
        }
        for host in hosts {
            if let left = leftOver(on: host) { return "host \(host.index): \(left)" }
            if let held = coordinator.process?.state.quarantine(of: host.id), !held.isOnTrial {
                return "host \(host.index): quarantined, and no job may try it"
            }
        }
        return nil
    }

    private func leftOver(on host: SimulatedHost) -> String? {
        guard let worker = host.worker else { return "its worker does not run" }
        if let id = host.launcher.sandboxes.keys.min() { return "sandbox \(id)" }
        if let result = host.disk.pending.first(where: { !host.unsettled.contains($0.lease) }) {
            return "result of \(result.lease.attempt) in the journal"
        }
        if let id = host.disk.records.keys.min() { return "record of \(id)" }
        if !worker.state.isAtRest { return "the worker holds \(worker.state.inventory)" }
        if worker.layers != 0 { return "\(worker.layers) uses of layers" }
        return nil
    }

    func checkEnd() {
        for (job, client) in clients.enumerated() {
            guard let id = client.id, let stored = coordinator.store.jobs[id] else { continue }
            if stored.state != truth.jobs[job].final { fail("job \(job) is \(stored.state) in the store at the end") }
            for attempt in stored.attempts { check(attempt) }
        }
        if let live = try? coordinator.store.liveAttempts(worker: nil), let first = live.first {
            fail("attempt \(first.lease.attempt) is \(first.state) at the end")
        }
    }

    private func check(_ id: AttemptID) {
        guard let stored = coordinator.store.attempts[id], let attempt = truth.attempts[id] else {
            return fail("attempt \(id) is not in the store at the end")
        }
        for code in [OutputStreamCode.stdout, .stderr] {
            let stream = OutputDisk.Stream(attempt: id, code: code)
            let acknowledged = attempt.acknowledged[code] ?? 0
            if let place = coordinator.output.firstWrong(stream, to: acknowledged) {
                fail("output of \(id) is wrong at byte \(place), and was acknowledged up to \(acknowledged)")
            }
            if attempt.end == .finished { checkWhole(stream, stored, attempt) }
        }
    }

    /// The output of an attempt whose end its worker saw is whole: files up to the tail, and the tail.
    private func checkWhole(_ stream: OutputDisk.Stream, _ stored: MemoryAttempt, _ attempt: Truth.Attempt) {
        guard let evidence = stored.evidence, !isSpoolLost(attempt) else { return }
        let length = stream.code == .stdout ? evidence.stdoutBytes : evidence.stderrBytes
        let tail = stored.tails.first { $0.stream == (stream.code == .stdout ? .stdout : .stderr) }
        let end = tail?.offset ?? length
        if let place = coordinator.output.firstWrong(stream, to: end) {
            return fail("output of \(stream.attempt) is wrong at byte \(place) of \(length)")
        }
        if end > 64 << 10 { note(.longOutput) }
        guard let tail else { return }
        let range = tail.offset..<tail.offset + Int64(tail.bytes.count)
        if range.upperBound != length || tail.bytes != Truth.bytes(of: stream.attempt, stream.code, range) {
            fail("the tail of \(stream.attempt) is wrong: \(range) of \(length)")
        }
    }

    /// Whether what it had written was gone before the coordinator could have it.
    private func isSpoolLost(_ attempt: Truth.Attempt) -> Bool {
        truth.lostSpools.contains(attempt.lease.attempt)
    }
}
