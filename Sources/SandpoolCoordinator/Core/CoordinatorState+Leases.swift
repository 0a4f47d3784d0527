import SandpoolModel
import SandpoolStore

/// Signs of life, and what is done about their absence.
struct Leases: Sendable {
    var liveness: Liveness
    /// When the next turn is to come; `nil` for not before something happens.
    var alarm: Duration?
    /// Workers whose attempts are to be flagged.
    var silent: [WorkerID] = []
    /// Attempts that are to end.
    var losses: [LossReport] = []
    /// What the outstanding call is about.
    var acting: Acting?

    enum Acting: Sendable {
        case flag(WorkerID)
        case lose([LossReport])
    }
}

/// The conversation about workers that fell silent (design decision 6).
extension CoordinatorState {
    /// Renews a worker's leases.
    mutating func noteSign(of worker: WorkerID) {
        leases.liveness.heard(worker, at: moment.uptime)
        if leases.alarm == nil { wakeLeases(at: moment.uptime + timings.unreachableAfter) }
    }

    /// Whether nothing was heard of a worker for so long that its attempts are flagged.
    private func isSilent(_ worker: WorkerID) -> Bool { leases.liveness.isSilent(worker, at: moment.uptime) }

    private mutating func wakeLeases(at moment: Duration) {
        leases.alarm = moment
        effects.append(.wake(.leases, at: moment))
    }

    mutating func turnOfLeases() {
        if let alarm = leases.alarm { leases.liveness.excuse(moment.uptime - alarm, at: moment.uptime) }
        leases.alarm = nil
        let (verdicts, next) = leases.liveness.judge(at: moment.uptime) { attempts[of: $0] }
        for verdict in verdicts {
            switch verdict {
            case .unreachable(let worker):
                endSession(of: worker, .abort("the worker is silent"))
                leases.silent.append(worker)
            case .replace(let lease):
                let message = "worker \(lease.worker) fell silent; the job runs again"
                leases.losses.append(.workerLost(lease, kind: .superseded, message))
            case .lose(let lease):
                leases.losses.append(
                    .workerLost(
                        lease,
                        "worker \(lease.worker) fell silent while the command ran; check that host, then run "
                            + "the job again"))
            }
        }
        if let next { wakeLeases(at: next) }
        actOnSilence()
    }

    /// Makes the next call. A worker that was heard of meanwhile is left alone.
    private mutating func actOnSilence() {
        leases.silent = leases.silent.filter { isSilent($0) }
        if let worker = leases.silent.first {
            leases.silent.removeFirst()
            leases.acting = .flag(worker)
            return call(.leases, .setUnreachable(worker, true))
        }
        leases.losses = leases.losses.filter { isSilent($0.lease.worker) }
        guard !leases.losses.isEmpty else { return }
        let (losses, rest) = leases.losses.split(after: StoreLimits.batch)
        leases.losses = rest
        leases.acting = .lose(losses)
        call(.leases, .recordLosses(losses))
    }

    mutating func leasesAnswered(_ answer: StoreAnswer) {
        let acting = leases.acting
        leases.acting = nil
        switch (acting, answer) {
        case (.flag(let worker), _) where !isSilent(worker):
            // It came back before the flag was stored, and found none to take away.
            return call(.leases, .setUnreachable(worker, false))
        case (.lose(let losses), .ends(let answers)): settle(losses.map(\.lease), answers, isTaken: true)
        case (.flag, .done), (nil, .done): break
        default:
            leases.acting = acting
            return leasesFailed(.mismatch)
        }
        actOnSilence()
    }

    /// What was not stored is found again by the next judgement.
    mutating func leasesFailed(_ failure: Failure) {
        if case .flag(let worker) = leases.acting { leases.silent.append(worker) }
        for worker in leases.silent { leases.liveness.unflag(worker) }
        leases.silent = []
        leases.losses = []
        leases.acting = nil
        logStandstill("leases stand", failure)
        wakeLeases(at: moment.uptime + storeFailureDelay)
    }
}
