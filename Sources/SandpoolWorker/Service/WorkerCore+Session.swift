import LinuxSystem
import SandpoolAPI
import SandpoolModel

/// The session's beginning and end, and the lease that it renews.
extension WorkerCore {
    /// Begins a session.
    ///
    /// - Returns: its number, and the inventory to open it with.
    func beginSession() -> (number: Int, hello: WorkerHello) {
        endSession(session.number)
        session.number += 1
        session.heardMs = BoottimeClock.milliseconds()
        session.helloMs = Int64(clamping: session.heardMs)
        let hello = WorkerHello(
            id: directory.workerID, name: settings.name, bootID: settings.bootID, capacity: settings.capacity,
            labels: settings.labels, images: preparer?.readyImages ?? [],
            offersHostImage: settings.offersHostImage, held: inventory(), softwareVersion: Version.current,
            verification: verification, makesDisks: makesDisks)
        return (session.number, hello)
    }

    /// Ends a session if it is still the current one. Sandboxes go on; execs end with the session that asked for them.
    func endSession(_ number: Int) {
        guard number == session.number else { return }
        for id in execs.keys { apply(.sessionLost, to: id) }
        session.isWelcome = false
        // Nobody may send in its name any more; the next session has the next number but one.
        session.number += 1
        session.waiter?.resume(returning: nil)
        session.waiter = nil
    }

    private func inventory() -> [HeldAttempt] {
        attempts.values.filter(\.machine.isHeld).map { attempt in
            HeldAttempt(
                lease: attempt.lease, state: attempt.machine.attemptState,
                stdoutBytes: attempt.cursors.stdout.available, stderrBytes: attempt.cursors.stderr.available)
        }
        .sorted { $0.lease.attempt < $1.lease.attempt }
    }

    /// The coordinator answered: what it does not want is killed, the rest goes on from what it has.
    func welcome(_ welcome: WorkerWelcome, session number: Int) {
        guard number == session.number else { return }
        session.leaseMs = Self.milliseconds(welcome.leaseSeconds, within: 1_000...3_600_000)
        session.heartbeatMs = UInt64(Self.milliseconds(welcome.heartbeatSeconds, within: 100...600_000))
        session.leaseUntilMs = session.helloMs + session.leaseMs
        outbox = Outbox()
        for lease in welcome.kill where held(lease) != nil { apply(.kill, to: lease.attempt) }
        resumeOutput(welcome.keep)
        session.isWelcome = true
        isDraining = false
        scheduleHeartbeat(number)
        wakeWriter()
    }

    private func resumeOutput(_ kept: [HeldAttempt]) {
        unacknowledgedBytes = 0
        outputTurns.removeAll()
        resultTurns.removeAll()
        let durable = Dictionary(kept.map { ($0.lease, $0) }) { first, _ in first }
        for (id, var attempt) in attempts {
            let offsets = durable[attempt.lease]
            attempt.cursors.stdout.resume(at: offsets?.stdoutBytes ?? attempt.cursors.stdout.durable)
            attempt.cursors.stderr.resume(at: offsets?.stderrBytes ?? attempt.cursors.stderr.durable)
            attempt.isResultSent = false
            attempts[id] = attempt
            if attempt.machine.phase == .running {
                outbox.add(
                    AttemptProgress(lease: attempt.lease, state: .running, at: attempt.startedAt ?? settings.now()))
            }
            if attempt.isOutputOpen, attempt.cursors.unsent > 0 { outputTurns.append(id) }
            if attempt.isResultReady { resultTurns.append(id) }
        }
    }

    /// Counts a frame as a sign of life.
    func noteHeard(session number: Int) {
        if number == session.number { session.heardMs = BoottimeClock.milliseconds() }
    }

    /// Whether nothing was heard for longer than a lease lasts.
    func isSilent(session number: Int) -> Bool {
        number == session.number && BoottimeClock.milliseconds() > session.heardMs + UInt64(session.leaseMs)
    }

    /// A renewal counts from when it was sent, since the coordinator may have counted from any time after.
    func renewLease(sentMs: Int64) {
        let now = Int64(clamping: BoottimeClock.milliseconds())
        guard sentMs <= now else { return }
        session.leaseUntilMs = max(session.leaseUntilMs, sentMs + session.leaseMs)
    }

    /// An expired lease stops new starts and nothing else.
    var isLeaseValid: Bool { Int64(clamping: BoottimeClock.milliseconds()) < session.leaseUntilMs }

    private func scheduleHeartbeat(_ number: Int) {
        schedule(afterMs: session.heartbeatMs) { core in
            guard number == core.session.number else { return }
            core.outbox.heartbeat(sentMs: Int64(clamping: BoottimeClock.milliseconds()))
            core.wakeWriter()
            core.scheduleHeartbeat(number)
        }
    }

    /// Nothing a peer sends may trap: NaN and what is out of range become the nearest bound.
    private static func milliseconds(_ seconds: Double, within range: ClosedRange<Int64>) -> Int64 {
        guard seconds > 0 else { return range.lowerBound }
        return min(max(Int64(min(seconds, 1e9) * 1_000), range.lowerBound), range.upperBound)
    }
}
