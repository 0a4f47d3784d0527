import SandpoolAPI
import SandpoolCoordinator
import SandpoolModel
import SandpoolStore

/// The coordinator's process: what its driver does for its state.
extension Simulation {
    private var coordinatorMoment: Moment {
        Moment(wall: coordinator.clock.wall(at: now), uptimeMs: coordinator.clock.uptimeMs(at: now))
    }

    // MARK: Beginning and end

    func startCoordinator() {
        guard coordinator.process == nil else { return }
        if !coordinator.isHostUp {
            coordinator.isHostUp = true
            coordinator.clock.boot(at: now)
        }
        coordinator.generation += 1
        coordinator.output.open()
        let start = newStart()
        let state = CoordinatorState(timings: scenario.timings, generation: coordinator.generation)
        coordinator.process = CoordinatorProcess(start: start, state: state)
        say("coordinator starts as \(start), generation \(coordinator.generation)")
        after(chance.number(Int64(1_000)...100_000), .coordinator(start: start, .recover))
    }

    /// - Parameter isHost: whether its host goes down with it.
    func crashCoordinator(isHost: Bool = false) {
        guard let process = coordinator.process else { return }
        say("coordinator is gone\(isHost ? ", and its host" : "")")
        coordinator.process = nil
        for number in connections.indices where connections[number].coordinator == process.start {
            closeAtCoordinator(number, isTold: !isHost)
        }
        guard isHost else { return }
        coordinator.isHostUp = false
        if let synced = coordinator.syncedStore { coordinator.store = synced }
        if coordinator.output.crash(&chance) { note(.outputTorn) }
    }

    // MARK: Duties

    func coordinatorActs(_ start: Int, _ duty: CoordinatorDuty) {
        guard coordinator.process?.start == start else { return }
        switch duty {
        case .recover: recover()
        case .feed(let event): feed(event)
        case .commit: commit()
        case .reads(let conversation, let call, let called): read(conversation, call, called)
        case .flushes(let conversation, let streams): endFlush(conversation, streams)
        case .syncs: beginSync()
        case .isSynced(let streams): endSync(streams)
        case .appends(let session, let piece, let stream): append(piece, to: stream, of: session)
        case .readsOn(let session): readOn(session)
        case .ends: crashCoordinator()
        case .closes(let session):
            guard coordinator.process?.readers.removeValue(forKey: session) != nil else { return }
            feed(.closed(session))
        }
    }

    private func noteEnrolled(_ worker: WorkerID) {
        guard let host = hosts.firstIndex(where: { $0.id == worker }) else { return }
        hosts[host].heardAt = now
    }

    private func recover() {
        guard let workers = try? coordinator.store.workers(),
            let live = try? coordinator.store.liveAttempts(worker: nil)
        else { return fail("the store cannot be read") }
        if !live.isEmpty, coordinator.generation > 1 { note(.recoveryWindow) }
        coordinator.process?.isListening = true
        for host in hosts.indices { hosts[host].heardAt = max(hosts[host].heardAt, now) }
        feed(.recovered(workers: workers, live: live))
    }

    /// One step of the coordinator, and everything it asks for, unless the process ends in the middle of that.
    func feed(_ event: CoordinatorState.Event) {
        guard let start = coordinator.process?.start, mayTake(event) else { return }
        say("coordinator <- \(event)")
        if case .answered(_, .enrolled(let enrolment)) = event { noteEnrolled(enrolment.registration.id) }
        let (event, moment) = (altered(event), altered(coordinatorMoment, for: event))
        let effects = coordinator.process?.state.step(event, at: moment) ?? []
        for effect in effects {
            guard coordinator.process?.start == start else { return }
            if let left = coordinator.process?.effectsLeft {
                if left == 0 {
                    let isHost = chance.one(in: 2)
                    note(isHost ? .coordinatorHostCrashed : .coordinatorCrashed)
                    crashCoordinator(isHost: isHost)
                    return after(chance.span(100_000...60_000_000), .repair(.startCoordinator))
                }
                coordinator.process?.effectsLeft = left - 1
            }
            perform(effect)
        }
        giveLateTurn(after: event)
    }

    /// Each conversation is a loop of its own, which takes its next turn when its calls are answered, and one for all
    /// that came meanwhile.
    private func mayTake(_ event: CoordinatorState.Event) -> Bool {
        switch event {
        case .turn(let conversation):
            guard coordinator.process?.calling.contains(conversation) ?? false else { return true }
            coordinator.process?.lateTurns.insert(conversation)
            return false
        case .answered(let conversation, _), .failed(let conversation, _):
            coordinator.process?.calling.remove(conversation)
            return true
        default: return true
        }
    }

    private func giveLateTurn(after event: CoordinatorState.Event) {
        switch event {
        case .answered(let conversation, _), .failed(let conversation, _):
            guard let process = coordinator.process, !process.calling.contains(conversation),
                coordinator.process?.lateTurns.remove(conversation) != nil
            else { return }
            after(chance.number(Int64(0)...50), .coordinator(start: process.start, .feed(.turn(conversation))))
        default: return
        }
    }

    private func perform(_ effect: CoordinatorState.Effect) {
        guard let start = coordinator.process?.start else { return }
        switch effect {
        case .publish, .publishOutput, .pushInput, .dropInput, .lookAgain, .log: return
        default: say("coordinator -> \(effect)")
        }
        switch effect {
        case .call(let conversation, let call):
            coordinator.process?.calling.insert(conversation)
            begin(call, of: conversation)
        case .turn(let conversation):
            after(chance.number(Int64(0)...50), .coordinator(start: start, .feed(.turn(conversation))))
        case .wake(let conversation, let uptime): wake(conversation, at: uptime)
        case .append(let session, let stream, let offset, let count):
            beginAppend(session, stream, offset: offset, count: Int64(count))
        case .send(let session, let message): send(message, on: session)
        case .pause(let session): coordinator.process?.readers[session]?.isPaused = true
        case .resume(let session):
            coordinator.process?.readers[session]?.isPaused = false
            after(0, .coordinator(start: start, .readsOn(session)))
        case .end(let session, let end): self.end(session, end)
        case .reply(let command, let reply): answer(command, reply)
        case .publish, .publishOutput, .pushInput, .dropInput, .lookAgain, .log: break
        }
    }

    private func wake(_ conversation: Conversation, at uptime: Duration) {
        guard let start = coordinator.process?.start, isHeard(conversation) else { return }
        let delayMs = uptime.wholeMilliseconds - coordinator.clock.uptimeMs(at: now)
        let delay = coordinator.clock.world(ms: max(0, delayMs)) + 1_000
        let duty = CoordinatorDuty.feed(.turn(conversation))
        after(delay, .coordinator(start: start, duty))
        guard !isCalm, chance.one(in: scenario.timerOdds) else { return }
        note(.timerTwice)
        after(delay + chance.span(1_000...1_000_000), .coordinator(start: start, duty))
    }

    // MARK: Sessions

    private func connection(of session: SessionID) -> Int { Int(session.number) }

    private func send(_ message: CoordinatorMessage, on session: SessionID) {
        let number = connection(of: session)
        guard connections[number].isOpenAtCoordinator else { return }
        check(message, to: connections[number].host)
        send(DownItem.message(message), on: number)
    }

    private func end(_ session: SessionID, _ end: CoordinatorState.SessionEnd) {
        guard let start = coordinator.process?.start else { return }
        if case .refuse(let error) = end { send(DownItem.message(.failed(error)), on: connection(of: session)) }
        closeAtCoordinator(connection(of: session))
        coordinator.process?.readers[session]?.isEnded = true
        after(chance.number(Int64(10)...500), .coordinator(start: start, .closes(session)))
    }

    func receive(_ item: UpItem, on number: Int) {
        let session = SessionID(UInt64(number))
        coordinator.process?.readers[session, default: SessionReader()].inbox.append(item)
        readOn(session)
    }

    /// Takes frames for as long as nothing holds them up.
    func readOn(_ session: SessionID) {
        while let reader = coordinator.process?.readers[session], !reader.isPaused, !reader.isAppending,
            !reader.isEnded,
            !reader.inbox.isEmpty
        {
            let item = coordinator.process?.readers[session]?.inbox.removeFirst()
            if let item { take(item, of: session) }
        }
    }

    private func take(_ item: UpItem, of session: SessionID) {
        let host = connections[connection(of: session)].host
        let worker = hosts[host].id
        switch item {
        // One that says hello is known to be the worker once it is enrolled.
        case .end, .message(.hello): break
        default: hosts[host].heardAt = now
        }
        switch item {
        case .end:
            coordinator.process?.readers[session] = nil
            feed(.closed(session))
        case .message(.hello(let hello)):
            coordinator.process?.readers[session]?.isOpen = true
            coordinator.process?.readers[session]?.isPaused = true
            feed(.opened(session, hello, token: nil))
        case .message(.heartbeat(let sentMs)): feed(.heartbeat(session, sentMs: sentMs))
        case .message(let message):
            do {
                guard let report = try WorkerReport(message, of: worker) else { return feed(.heard(session)) }
                feed(.reported(session, report, bytes: 512))
            } catch {
                fail("a worker sends what the coordinator does not understand: \(error)")
            }
        case .output(let piece):
            coordinator.process?.readers[session]?.piece = piece
            let range = OutputRange(
                attempt: piece.attempt, epoch: piece.epoch, stream: piece.stream, offset: piece.offset,
                count: Int(piece.count))
            feed(.output(session, range))
        }
    }
}
