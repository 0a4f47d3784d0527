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
    /// Workers that came back before they were flagged: the flag is to be taken away.
    var back: Set<WorkerID> = []
    /// Workers that may hold leases which the store alone knows, and that were not listed since.
    var unsure: Set<WorkerID> = []
    /// What the outstanding call is about.
    var acting: Acting?
    /// Attempts that ended during a call.
    private(set) var ended: Set<LeaseKey> = []

    enum Acting: Hashable, Sendable {
        case flag(WorkerID)
        case unflag(WorkerID)
        case lose([LossReport])
        /// `nil` where the answer is not wanted any more.
        case list(WorkerID?)
    }

    mutating func begin(_ acting: Acting) {
        self.acting = acting
        ended = []
    }

    /// Notes the end of an attempt that the answer under way may still name.
    mutating func noteEnd(of lease: LeaseKey) {
        if acting == .list(lease.worker) { ended.insert(lease) }
    }

    /// What a worker holds was listed by its session, which sees to the rest.
    mutating func clear(_ worker: WorkerID) {
        unsure.remove(worker)
        if acting == .list(worker) { acting = .list(nil) }
    }
}

/// The conversation about workers that fell silent (design decision 6).
extension CoordinatorState {
    /// Renews a worker's leases.
    mutating func noteSign(of worker: WorkerID) {
        leases.liveness.heard(worker, at: moment.uptime)
        watch()
    }

    /// Takes an attempt up. Its worker may be silent already, flagged without it, and no judgement be due.
    mutating func hold(_ attempt: RunningAttempt) {
        attempts.insert(attempt)
        if isSilent(attempt.lease.worker) { leases.liveness.unflag(attempt.lease.worker) }
        watch()
    }

    /// Takes up what is known to the store alone: an attempt, or that it runs, since a call that failed may have been
    /// stored all the same. Nobody tells the states before that from one another.
    mutating func hold(_ live: [LiveAttempt]) {
        for attempt in live {
            if attempts[attempt.lease] == nil {
                hold(RunningAttempt(attempt, since: moment.uptime))
            } else if attempt.state == .running {
                note(.started, of: attempt.lease)
            }
        }
    }

    /// Has silence judged no later than a worker that was heard of just now may have fallen silent.
    private mutating func watch() {
        let next = moment.uptime + timings.unreachableAfter
        if let alarm = leases.alarm, alarm <= next { return }
        wakeLeases(at: next)
    }

    /// Whether nothing was heard of a worker for so long that its attempts are flagged.
    private func isSilent(_ worker: WorkerID) -> Bool { leases.liveness.isSilent(worker, at: moment.uptime) }

    private mutating func wakeLeases(at moment: Duration) {
        leases.alarm = moment
        effects.append(.wake(.leases, at: moment))
    }

    /// The turn that was due during a call comes after it, and is late for that: no standstill of the process, which
    /// heard of everybody meanwhile.
    mutating func noteTurnHeldUp() {
        if let alarm = leases.alarm, alarm <= moment.uptime { leases.alarm = nil }
    }

    /// Excuses what was silent while the coordinator stood still, which a late turn shows.
    mutating func excuseLateTurn() {
        guard let alarm = leases.alarm, alarm <= moment.uptime else { return }
        leases.liveness.excuse(moment.uptime - alarm, at: moment.uptime)
        leases.alarm = nil
    }

    mutating func turnOfLeases() {
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
        if let worker = leases.back.min() {
            leases.back.remove(worker)
            leases.begin(.unflag(worker))
            return call(.leases, .setUnreachable(worker, false))
        }
        if let worker = leases.unsure.min() {
            leases.unsure.remove(worker)
            leases.begin(.list(worker))
            return call(.leases, .liveAttempts(worker))
        }
        leases.silent = leases.silent.filter { isSilent($0) }
        if let worker = leases.silent.first {
            leases.silent.removeFirst()
            leases.begin(.flag(worker))
            return call(.leases, .setUnreachable(worker, true))
        }
        leases.losses = leases.losses.filter { isSilent($0.lease.worker) }
        guard !leases.losses.isEmpty else { return }
        let (losses, rest) = leases.losses.split(after: StoreLimits.batch)
        leases.losses = rest
        leases.begin(.lose(losses))
        call(.leases, .recordLosses(losses))
    }

    mutating func leasesAnswered(_ answer: StoreAnswer) {
        let acting = leases.acting
        leases.acting = nil
        switch (acting, answer) {
        case (.flag(let worker), .done) where !isSilent(worker):
            // It came back before the flag was stored, and found none to take away.
            leases.back.insert(worker)
        case (.list(let worker), .live(let live)):
            if worker != nil { hold(live.filter { !leases.ended.contains($0.lease) }) }
        case (.lose(let losses), .ends(let answers)): settle(losses.map(\.lease), answers, isTaken: true)
        case (.flag, .done), (.unflag, .done): break
        default:
            leases.acting = acting
            return leasesFailed(.mismatch)
        }
        actOnSilence()
    }

    /// What was not stored is found again by the next judgement.
    mutating func leasesFailed(_ failure: Failure) {
        switch leases.acting {
        case .flag(let worker):
            if isSilent(worker) { leases.silent.append(worker) } else { leases.back.insert(worker) }
        case .unflag(let worker): leases.back.insert(worker)
        case .list(let worker?): leases.unsure.insert(worker)
        case .list(nil), .lose, nil: break
        }
        for worker in leases.silent { leases.liveness.unflag(worker) }
        leases.silent = []
        leases.losses = []
        leases.acting = nil
        logStandstill("leases stand", failure)
        wakeLeases(at: moment.uptime + storeFailureDelay)
    }
}
