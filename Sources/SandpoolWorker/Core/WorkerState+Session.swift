import SandpoolAPI
import SandpoolModel

/// The session's beginning and end, and the lease that it renews.
extension WorkerState {
    /// Begins a session, which ends an older one.
    mutating func openSession() {
        endSession(session.number)
        session.number += 1
        session.heardMs = now.uptimeMs
        session.helloMs = now.uptimeMs
        session.toldReturned = givenBack
    }

    /// Ends a session if it is still the current one. Sandboxes go on.
    mutating func endSession(_ number: Int) {
        guard number == session.number else { return }
        session.isWelcome = false
        // Nobody may send in its name any more; the next session has the next number but one.
        session.number += 1
    }

    /// What opens the session: everything that this worker is and holds.
    ///
    /// - Parameter images: that can be started at once.
    package func hello(images: [String]) -> WorkerHello {
        WorkerHello(
            id: settings.worker, name: settings.name, bootID: settings.bootID, capacity: settings.capacity,
            labels: settings.labels, images: images, offersHostImage: settings.offersHostImage, held: inventory,
            softwareVersion: Version.current, verification: verification, makesDisks: makesDisks,
            sentMs: session.helloMs, process: settings.process,
            returned: session.toldReturned.isEmpty ? nil : session.toldReturned)
    }

    /// Every attempt that runs or has a result that was not recorded.
    package var inventory: [HeldAttempt] {
        attempts.values.filter(\.machine.isHeld).map { attempt in
            HeldAttempt(
                lease: attempt.lease, state: attempt.machine.attemptState,
                stdoutBytes: attempt.cursors.stdout.available, stderrBytes: attempt.cursors.stderr.available)
        }
        .sorted { $0.lease.attempt < $1.lease.attempt }
    }

    /// The coordinator answered: what it does not want is killed, the rest goes on from what it has.
    mutating func welcome(_ welcome: WorkerWelcome, session number: Int) {
        guard number == session.number else { return }
        session.heardMs = now.uptimeMs
        session.leaseMs = Self.milliseconds(welcome.leaseSeconds, within: 1_000...3_600_000)
        session.heartbeatMs = Self.milliseconds(welcome.heartbeatSeconds, within: 100...600_000)
        session.leaseUntilMs = session.helloMs + session.leaseMs
        silence.replaceMs =
            welcome.replaceSeconds.map { Self.milliseconds($0, within: 1_000...86_400_000) } ?? 4 * session.leaseMs
        noteAnswered(sentMs: session.helloMs)
        if silence.timerMs != nil { watchSilence() }
        outbox = Outbox()
        let told = Set(session.toldReturned)
        givenBack.removeAll { told.contains($0) }
        for lease in welcome.kill { apply(.kill, to: lease) }
        resumeOutput(welcome.keep)
        session.isWelcome = true
        isDraining = false
        launchWaiting()
        session.nextHeartbeatMs = now.uptimeMs + session.heartbeatMs
        effects.append(.wake(afterMs: session.heartbeatMs, .heartbeat(session: number)))
        wakeWriter()
    }

    private mutating func resumeOutput(_ kept: [HeldAttempt]) {
        unacknowledgedBytes = 0
        outputTurns.removeAll()
        resultTurns.removeAll()
        let durable = Dictionary(kept.map { ($0.lease, $0) }) { first, _ in first }
        for (id, var attempt) in attempts.sorted(by: { $0.key < $1.key }) {
            attempt.resumeOutput(at: durable[attempt.lease])
            attempts[id] = attempt
            if attempt.machine.phase == .running { tellStart(attempt.lease) }
            if attempt.isOutputOpen, attempt.cursors.unsent > 0 { outputTurns.append(id) }
            if attempt.isResultReady { resultTurns.append(id) }
        }
    }

    /// Counts a frame as a sign of life.
    mutating func noteHeard(session number: Int) {
        if number == session.number { session.heardMs = now.uptimeMs }
    }

    /// Whether nothing was heard for longer than a lease lasts: whoever drives this ends the session then.
    package func isSilent(session number: Int, at moment: Moment) -> Bool {
        number == session.number && moment.uptimeMs > session.heardMs + session.leaseMs
    }

    /// A renewal counts from when it was sent, since the coordinator may have counted from any time after.
    mutating func renewLease(sentMs: Int64) {
        guard sentMs <= now.uptimeMs else { return }
        session.leaseUntilMs = max(session.leaseUntilMs, sentMs + session.leaseMs)
        noteAnswered(sentMs: sentMs)
        launchWaiting()
    }

    /// An expired lease stops new starts and nothing else.
    var isLeaseValid: Bool { now.uptimeMs < session.leaseUntilMs }

    mutating func heartbeat(session number: Int) {
        // One that fires twice must not go on as two.
        guard number == session.number, now.uptimeMs >= session.nextHeartbeatMs else { return }
        outbox.heartbeat(sentMs: now.uptimeMs)
        wakeWriter()
        session.nextHeartbeatMs = now.uptimeMs + session.heartbeatMs
        effects.append(.wake(afterMs: session.heartbeatMs, .heartbeat(session: number)))
    }

    /// Nothing a peer sends may trap: NaN and what is out of range become the nearest bound.
    private static func milliseconds(_ seconds: Double, within range: ClosedRange<Int64>) -> Int64 {
        guard seconds > 0 else { return range.lowerBound }
        return min(max(Int64(min(seconds, 1e9) * 1_000), range.lowerBound), range.upperBound)
    }
}
