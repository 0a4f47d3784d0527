import SandpoolAPI
import SandpoolModel
import SandpoolStore

/// A session's conversation until it is open: the worker is enrolled, older sessions end, its inventory is compared.
extension CoordinatorState {
    mutating func open(_ id: SessionID, _ hello: WorkerHello, token: TokenID?) {
        guard sessions.all[id] == nil, sessions.add(id, hello) else { return }
        // One that came before a stopping coordinator closed its door: the stop would wait for it.
        guard !isStopping else { return end(id, .close) }
        guard !isLate(hello) else { return end(id, .abort("a newer session of the worker was here before")) }
        sessions.opening.insert(id)
        // Refused before anything is done to the session and the leases of the worker whose id it is.
        call(.session(id), .upsertWorker(WorkerRegistration(hello), token: token))
    }

    /// Whether the network held a hello back until its worker had given that connection up and come by another one: it
    /// tells of what was, not of what is. After a long silence it is taken all the same, since the clock of a host that
    /// was set back to a snapshot goes back with it.
    private func isLate(_ hello: WorkerHello) -> Bool {
        guard sessions.isOlder(hello), let silence = leases.liveness.silence(of: hello.id, at: moment.uptime) else {
            return false
        }
        return silence < timings.replaceAfter
    }

    mutating func openingAnswered(_ id: SessionID, _ opening: Opening, _ answer: StoreAnswer) {
        switch (opening.step, answer) {
        case (.enrolling, .enrolled(let record)): enrolled(id, record)
        case (.listing, .live(let live)): listed(id, live)
        case (.returning, .ends(let answers)):
            let (done, rest) = opening.reconciliation.returned.split(after: StoreLimits.batch)
            sessions.all[id]?.opening?.reconciliation.returned = rest
            settle(done, answers)
            recordMissing(id)
        case (.losing, .ends(let answers)):
            let (done, rest) = opening.reconciliation.lost.split(after: StoreLimits.batch)
            sessions.all[id]?.opening?.reconciliation.lost = rest
            settle(done.map(\.lease), answers)
            recordMissing(id)
        case (.clearing, .done): flushKept(id)
        case (.flushing, .flushed(let ends)):
            for (stream, end) in zip(opening.flushing, ends) { _ = attempts.noteDurable(stream, to: end) }
            welcome(id)
        default: failed(.session(id), .mismatch)
        }
    }

    private mutating func enrolled(_ id: SessionID, _ record: WorkerRecord) {
        let worker = record.registration.id
        let others = sessions.ids(of: worker).filter { $0 != id }
        // The newest of a worker's sessions counts, once it is known to be the worker's.
        let isOutdone = others.contains { $0 > id && sessions.all[$0]?.opening?.step != .enrolling }
        guard !isOutdone else { return end(id, .abort("the worker opened another one")) }
        workers[worker] = record
        guard sessions.all[id]?.isOver == false else { return }
        sessions.noteGreeting(of: id)
        if let process = quarantines.held[worker]?.quarantine.process, process != sessions.all[id]?.process {
            endQuarantine(of: worker, "it was started anew")
        }
        for other in others where other < id { end(other, .abort("the worker opened another one")) }
        noteSign(of: worker)
        sessions.all[id]?.opening?.step = .waiting
        if disconnect(worker, for: .session(id)) { list(id) }
    }

    /// The turn of a session that is being opened.
    mutating func turnOfOpening(_ id: SessionID, _ opening: Opening) {
        guard opening.step == .waiting, !scheduling.waiting.contains(.session(id)) else { return }
        list(id)
    }

    private mutating func list(_ id: SessionID) {
        guard let worker = advance(id, to: .listing) else { return }
        call(.session(id), .liveAttempts(worker))
    }

    /// Moves an opening on; its worker, or `nil` where the session is over.
    private mutating func advance(_ id: SessionID, to step: Opening.Step) -> WorkerID? {
        guard let session = sessions.all[id], !session.isOver else { return nil }
        sessions.all[id]?.opening?.step = step
        return session.worker
    }

    private mutating func listed(_ id: SessionID, _ all: [LiveAttempt]) {
        // What was listed for a session that is over may have changed without being noted.
        guard let session = sessions.all[id], let opening = session.opening, !session.isOver else { return }
        let live = all.filter { !opening.ended.contains($0.lease) }
        // A lease whose answer was lost is known to the store alone, and an end whose answer was lost, too.
        hold(live)
        let known = Set(live.map(\.lease))
        for attempt in attempts[of: session.worker] where !known.contains(attempt.lease) {
            _ = attempts.remove(attempt.lease)
        }
        leases.clear(session.worker)
        let result = Reconciliation(opening.hello, live: live, lostFutures: lostFutures)
        sessions.all[id]?.strangers = Set(result.strangers)
        let gone = Set(result.returned + result.lost.map(\.lease))
        sessions.all[id]?.opening?.reconciliation = result
        sessions.all[id]?.opening?.kept = live.filter { !gone.contains($0.lease) }
        recordMissing(id)
    }

    /// Records what the worker does not have, then takes the flags away.
    private mutating func recordMissing(_ id: SessionID) {
        guard let opening = sessions.all[id]?.opening else { return }
        let (returned, lost) = (opening.reconciliation.returned, opening.reconciliation.lost)
        if !returned.isEmpty {
            guard advance(id, to: .returning) != nil else { return }
            return call(.session(id), .returnLeases(returned.split(after: StoreLimits.batch).first))
        }
        if !lost.isEmpty {
            guard advance(id, to: .losing) != nil else { return }
            return call(.session(id), .recordLosses(lost.split(after: StoreLimits.batch).first))
        }
        guard opening.kept.contains(where: { $0.unreachableSince != nil }) else { return flushKept(id) }
        guard let worker = advance(id, to: .clearing) else { return }
        call(.session(id), .setUnreachable(worker, false))
    }

    /// Makes durable what is here of the output of what goes on, so that the worker can be told where to go on.
    private mutating func flushKept(_ id: SessionID) {
        guard let opening = sessions.all[id]?.opening, let worker = advance(id, to: .flushing) else { return }
        let streams = opening.reconciliation.keep.flatMap { held in
            let attempt = attempts[LeaseKey(held.lease, worker: worker)]
            return attempt.map { [$0.stream(.stdout), $0.stream(.stderr)] } ?? []
        }
        guard !streams.isEmpty else { return welcome(id) }
        sessions.all[id]?.opening?.flushing = streams
        call(.session(id), .flush(streams))
    }

    // MARK: Open

    private mutating func welcome(_ id: SessionID) {
        guard let session = sessions.all[id], let opening = session.opening, !session.isOver else { return }
        let worker = session.worker
        guard let record = workers[worker] else { return end(id, .abort("an operator forgot the worker")) }
        var welcome = WorkerWelcome(
            generation: generation, leaseSeconds: timings.lease.inSeconds,
            heartbeatSeconds: timings.heartbeat.inSeconds, replaceSeconds: timings.replaceAfter.inSeconds, keep: [],
            kill: opening.reconciliation.kill)
        for var held in opening.reconciliation.keep {
            if let attempt = attempts[LeaseKey(held.lease, worker: worker)] {
                held.stdoutBytes = attempt.durableStdout
                held.stderrBytes = attempt.durableStderr
                welcome.keep.append(held)
            } else {
                // It ended while the inventory was compared.
                welcome.kill.append(held.lease)
            }
        }
        effects.append(.send(id, .welcome(welcome)))
        if record.drain != nil { effects.append(.send(id, .drain)) }
        noteSign(of: worker)
        sessions.open(id)
        connect(id, opening, WorkerOffer(record))
        if record.drain != nil { endDrained() }
        effects.append(.resume(id))
    }

    /// Tells the worker what came up while it was away, and lets it have jobs.
    private mutating func connect(_ id: SessionID, _ opening: Opening, _ offer: WorkerOffer) {
        var held: [JobID: Resources] = [:]
        for kept in opening.kept {
            guard let attempt = attempts[kept.lease] else { continue }
            held[attempt.job] = attempt.resources
            let lease = AttemptLease(attempt.lease)
            if attempt.isCancelRequested || kept.cancelRequested { effects.append(.send(id, .cancel(lease))) }
            effects.append(.pushInput(attempt.job, lease, id, again: false))
        }
        var offer = offer
        offer.admission = quarantines.held[offer.id]?.admission ?? .all
        let strangers = sessions.all[id]?.strangers.isEmpty ?? true ? nil : Self.strangersHinder
        if let hindrance = opening.hello.verification?.distrust ?? strangers {
            sessions.all[id]?.hindrance = hindrance
            offer.drains = true
            log(.error, "worker gets no jobs: \(hindrance)", offer.id)
        }
        post(.connected(offer, held: held))
        log(.info, "worker connected as \(opening.hello.name), holding \(held.count)", offer.id)
    }
}

extension VerificationSummary {
    /// Why its worker must not get jobs, whatever operators say.
    var distrust: String? { isTrusted ? nil : text }
}

extension WorkerRegistration {
    init(_ hello: WorkerHello) {
        self.init(
            id: hello.id, name: hello.name, labels: hello.labels, capacity: hello.capacity, images: hello.images,
            offersHostImage: hello.offersHostImage, bootID: hello.bootID, softwareVersion: hello.softwareVersion,
            makesDisks: hello.makesDisks ?? true)
    }
}

extension WorkerOffer {
    init(_ record: WorkerRecord) {
        let registration = record.registration
        self.init(
            id: registration.id, capacity: registration.capacity, labels: registration.labels,
            images: Set(registration.images), offersHostImage: registration.offersHostImage,
            drains: record.drain != nil, makesDisks: registration.makesDisks)
    }
}
