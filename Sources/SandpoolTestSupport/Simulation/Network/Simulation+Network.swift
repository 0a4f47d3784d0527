import SandpoolAPI

/// Connections between workers and the coordinator.
extension Simulation {
    /// How long a message takes.
    private func latency() -> Int64 {
        let usual = chance.number(scenario.latency)
        guard !isCalm, chance.one(in: scenario.latenessOdds) else { return usual }
        note(.lateDelivery)
        return usual + chance.span(10_000...20_000_000)
    }

    /// A worker's process dials. The answer comes as an open connection, a refusal, or not at all.
    func dial(from host: Int, session: Int) {
        guard let worker = hosts[host].worker else { return }
        let delay = latency() + latency()
        guard !hosts[host].path.isBlocked else {
            note(.connectTimedOut)
            return after(30_000_000, .worker(host: host, start: worker.start, .giveUp(session: session)))
        }
        guard let process = coordinator.process, process.isListening else {
            // The host answers for a process that is not there, and nobody for a host that is not.
            note(coordinator.isHostUp ? .connectRefused : .connectTimedOut)
            let duty = coordinator.isHostUp ? WorkerDuty.isRefused(session: session) : .giveUp(session: session)
            return after(coordinator.isHostUp ? delay : 30_000_000, .worker(host: host, start: worker.start, duty))
        }
        let number = connections.count
        connections.append(
            Connection(host: host, worker: worker.start, coordinator: process.start, session: session))
        hosts[host].worker?.connection = number
        after(30_000_000, .worker(host: host, start: worker.start, .giveUp(session: session)))
        connections[number].up.lastArrival = now + delay
        say("worker \(host) opens connection \(number), its session \(session)")
    }

    func send(_ item: UpItem, on number: Int) {
        let connection = connections[number]
        guard connection.up.cutAt == .max else { return }
        guard !hosts[connection.host].path.isUpBlocked else { return connections[number].up.held.append(item) }
        let arrival = max(connection.up.lastArrival + 1, now + latency())
        connections[number].up.lastArrival = arrival
        queue.add(.arrivesAtCoordinator(connection: number, item), at: arrival)
    }

    func send(_ item: DownItem, on number: Int) {
        let connection = connections[number]
        guard connection.down.cutAt == .max else { return }
        guard !hosts[connection.host].path.isDownBlocked else { return connections[number].down.held.append(item) }
        let arrival = max(connection.down.lastArrival + 1, now + latency())
        connections[number].down.lastArrival = arrival
        queue.add(.arrivesAtWorker(connection: number, item), at: arrival)
    }

    func arrive(_ item: UpItem, on number: Int) {
        let connection = connections[number]
        guard now <= connection.up.cutAt, connection.isOpenAtCoordinator,
            coordinator.process?.start == connection.coordinator
        else { return }
        if case .end = item { connections[number].isOpenAtCoordinator = false }
        receive(item, on: number)
    }

    func arrive(_ item: DownItem, atWorkerOn number: Int) {
        let connection = connections[number]
        guard now <= connection.down.cutAt, connection.isOpenAtWorker, let worker = hosts[connection.host].worker,
            worker.start == connection.worker
        else { return }
        // A process that stands still reads it when it goes on.
        if worker.frozenUntil > now {
            return queue.add(.arrivesAtWorker(connection: number, item), at: worker.frozenUntil)
        }
        if case .end = item { connections[number].isOpenAtWorker = false }
        receive(item, atWorkerOn: number)
    }

    /// The worker's end is closed: what was sent still arrives, and then the end of it.
    ///
    /// - Parameter isTold: whether the kernel says so to the other end, which one of a host that went down does not.
    func closeAtWorker(_ number: Int, isTold: Bool = true) {
        guard connections[number].isOpenAtWorker else { return }
        connections[number].isOpenAtWorker = false
        if isTold {
            send(UpItem.end, on: number)
        } else {
            connections[number].up.cutAt = now
            connections[number].up.held = []
        }
        connections[number].down.cutAt = min(connections[number].down.cutAt, now)
    }

    func closeAtCoordinator(_ number: Int, isTold: Bool = true) {
        guard connections[number].isOpenAtCoordinator else { return }
        connections[number].isOpenAtCoordinator = false
        if isTold {
            send(DownItem.end, on: number)
        } else {
            connections[number].down.cutAt = now
            connections[number].down.held = []
        }
        connections[number].up.cutAt = min(connections[number].up.cutAt, now)
    }

    /// Something on the way drops the connection. What each end has sent arrives up to some point.
    ///
    /// - Parameter isHalf: whether one of the ends hears nothing of it.
    func breakConnection(_ number: Int, isHalf: Bool) {
        guard connections[number].isOpenAtWorker || connections[number].isOpenAtCoordinator else { return }
        note(isHalf ? .halfOpen : .connectionBroken)
        say("connection \(number) breaks\(isHalf ? ", and one end does not hear of it" : "")")
        let (up, down) = (now + chance.number(scenario.latency), now + chance.number(scenario.latency))
        connections[number].up.cutAt = min(connections[number].up.cutAt, up)
        connections[number].down.cutAt = min(connections[number].down.cutAt, down)
        connections[number].up.held = []
        connections[number].down.held = []
        let unaware = isHalf ? chance.number(0...1) : 2
        // Told on the moment of the cut itself, which is the last at which something arrives.
        if unaware != 0 { queue.add(.arrivesAtWorker(connection: number, .end), at: down) }
        if unaware != 1 { queue.add(.arrivesAtCoordinator(connection: number, .end), at: up) }
    }

    /// What was held goes on its way, in its order.
    func unblock(_ host: Int) {
        hosts[host].path = Path()
        for number in connections.indices where connections[number].host == host {
            let (up, down) = (connections[number].up.held, connections[number].down.held)
            connections[number].up.held = []
            connections[number].down.held = []
            for item in up { send(item, on: number) }
            for item in down { send(item, on: number) }
        }
        if hosts[host].worker != nil { wakeWriter(host) }
    }

    /// TCP's window is full when so much waits for a path that takes nothing.
    func hasRoom(_ number: Int) -> Bool { connections[number].up.held.count < 8 }
}
