import SandpoolAPI
import SandpoolModel
import SandpoolStore

/// How far a command has come. Each stage but `waiting` is a call.
enum CommandStage: Sendable {
    case cancelling(JobID)
    case draining(WorkerID, Drain?)
    /// No lease may be on its way to a worker that is to be forgotten.
    case waiting(WorkerID)
    case listing(WorkerID)
    case losing(WorkerID, [LossReport])
    case forgetting(WorkerID)
}

/// What operators and clients ask for.
extension CoordinatorState {
    mutating func begin(_ id: CommandID, _ command: Command) {
        guard commands[id] == nil else { return }
        switch command {
        case .cancel(let job): move(id, to: .cancelling(job), .cancel(job))
        case .drain(let worker, let drain): move(id, to: .draining(worker, drain), .setDrain(drain, worker))
        case .forget(let worker):
            dismiss(worker)
            commands[id] = .waiting(worker)
            if disconnect(worker, for: .command(id)) { turnOfCommand(id) }
        }
    }

    private mutating func move(_ id: CommandID, to stage: CommandStage, _ next: StoreCall) {
        commands[id] = stage
        call(.command(id), next)
    }

    mutating func turnOfCommand(_ id: CommandID) {
        guard case .waiting(let worker) = commands[id], !scheduling.waiting.contains(.command(id)) else { return }
        move(id, to: .listing(worker), .liveAttempts(worker))
    }

    mutating func commandAnswered(_ id: CommandID, _ answer: StoreAnswer) {
        guard let stage = commands[id] else { return }
        switch (stage, answer) {
        case (.cancelling(let job), .cancelled(let answer)): cancelled(id, job, answer)
        case (.draining(let worker, let drain), .known(let isKnown)):
            if isKnown { drained(worker, drain) }
            reply(id, isKnown ? .done : .notFound)
        case (.listing(let worker), .live(let live)):
            lose(id, worker, live.map { .workerLost($0.lease, "an operator forgot its worker") })
        case (.losing(let worker, let losses), .ends(let answers)):
            let (done, rest) = losses.split(after: StoreLimits.batch)
            settle(done.map(\.lease), answers, isTaken: true)
            lose(id, worker, rest)
        case (.forgetting(let worker), .known(let isKnown)):
            workers[worker] = nil
            _ = quarantines.clear(worker)
            leases.liveness.forget(worker)
            sessions.forget(worker)
            // One that came back meanwhile enrols anew.
            endSession(of: worker, .abort("an operator forgot the worker"))
            reply(id, isKnown ? .done : .notFound)
        default: commandFailed(id, .mismatch)
        }
    }

    private mutating func lose(_ id: CommandID, _ worker: WorkerID, _ losses: [LossReport]) {
        guard !losses.isEmpty else { return move(id, to: .forgetting(worker), .forgetWorker(worker)) }
        move(id, to: .losing(worker, losses), .recordLosses(losses.split(after: StoreLimits.batch).first))
    }

    private mutating func cancelled(_ id: CommandID, _ job: JobID, _ answer: CancelAnswer) {
        switch answer {
        case .cancelled:
            finished(job)
            post(.queueChanged)
        case .requested(let lease): requestCancel(lease)
        case .finished: break
        case .notFound: return reply(id, .notFound)
        }
        reply(id, .done)
    }

    private mutating func drained(_ worker: WorkerID, _ drain: Drain?) {
        let wasDrained = workers[worker]?.drain != nil
        workers[worker]?.drain = drain
        if drain == nil {
            let wasQuarantined = endQuarantine(of: worker, "an operator resumed it")
            // A worker that drains does so to the end of its session, so that it begins a new one.
            if wasDrained || !wasQuarantined { endSession(of: worker, .close) }
        } else {
            post(.drain(worker, true))
            send(.drain, to: worker)
            endDrained()
        }
    }

    mutating func commandFailed(_ id: CommandID, _ failure: Failure) { reply(id, .failed(failure)) }

    private mutating func reply(_ id: CommandID, _ reply: Reply) {
        commands[id] = nil
        effects.append(.reply(id, reply))
    }

    mutating func abandon(_ id: CommandID) {
        guard !isOutstanding(.command(id)) else { return }
        commands[id] = nil
        scheduling.waiting.removeAll { $0 == .command(id) }
    }

    // MARK: Drains

    /// Ends what still runs on drained workers whose deadline has come.
    ///
    /// The worker is told what a user's cancel tells it: SIGTERM, grace, kill. So the command may clean up, its output
    /// and evidence arrive whole, and a worker that reaped it says so; the store records the end as preempted, because
    /// no user asked for it. A worker that is away is told when it comes back: until then nobody knows what runs there
    /// (design decision 6). Told twice, a worker goes on with the first. Deadlines are the store's, so that they
    /// outlive the coordinator.
    mutating func endDrained() {
        for worker in workers.keys.sorted() {
            guard let deadline = workers[worker]?.drain?.deadline else { continue }
            if deadline > moment.wall {
                effects.append(.wake(.drains, at: moment.uptime + deadline.since(moment.wall)))
            } else if let session = sessions.current(of: worker) {
                for attempt in attempts[of: worker] {
                    effects.append(.send(session, .cancel(AttemptLease(attempt.lease))))
                }
            }
        }
    }
}
