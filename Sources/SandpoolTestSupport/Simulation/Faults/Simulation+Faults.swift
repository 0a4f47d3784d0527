import SandpoolCoordinator
import SandpoolModel
import SandpoolStore

/// What goes wrong, and how it is mended.
extension Simulation {
    func strike(_ fault: Fault) {
        let host = chance.number(0...hosts.count - 1)
        say("fault: \(fault), host \(host)")
        switch fault {
        case .breakConnection, .halfOpen:
            if let number = hosts[host].worker?.connection { breakConnection(number, isHalf: fault == .halfOpen) }
        case .oneWayLoss, .partition: block(host, both: fault == .partition)
        case .crashWorker, .crashWorkerInStep, .stopWorker, .freezeWorker: strikeWorker(fault, host)
        case .crashLauncher:
            guard hosts[host].launcher.isUp else { return }
            note(.launcherCrashed)
            crashLauncher(host)
            after(chance.span(10_000...40_000_000), .repair(.startLauncher(host: host)))
        case .crashHost: crashHost(host)
        case .stopCoordinator: stopCoordinator()
        case .crashCoordinator, .crashCoordinatorInStep, .crashCoordinatorHost: strikeCoordinator(fault)
        case .jumpClock: jumpClock(host)
        case .slowDisk, .fullWorkerDisk, .fullCoordinatorDisk, .failStore: strikeDisk(fault, host)
        case .drain: drain(host)
        case .forget:
            note(.forgotten)
            hosts[host].wasForgotten = true
            command(.forget(hosts[host].id))
        }
    }

    private func block(_ host: Int, both: Bool) {
        guard !hosts[host].path.isBlocked else { return }
        note(both ? .partition : .oneWayLoss)
        let isUp = chance.one(in: 2)
        hosts[host].path = Path(isUpBlocked: both || isUp, isDownBlocked: both || !isUp)
        after(chance.span(1_000_000...200_000_000), .repair(.path(host: host)))
    }

    private func strikeWorker(_ fault: Fault, _ host: Int) {
        guard hosts[host].worker != nil else { return }
        switch fault {
        case .freezeWorker:
            // A longer freeze would let what comes later overtake what waits for the end of this one.
            guard (hosts[host].worker?.frozenUntil ?? 0) <= now else { return }
            note(.workerFrozen)
            let end = now + chance.span(100_000...200_000_000)
            hosts[host].worker?.frozenUntil = end
            if hosts[host].ableSince != nil { hosts[host].ableSince = end }
            return
        case .crashWorkerInStep:
            hosts[host].worker?.effectsLeft = chance.number(0...12)
            return
        case .stopWorker:
            note(.workerStopped)
            stopWorker(host)
        default:
            note(.workerCrashed)
            crashWorker(host)
        }
        after(chance.span(10_000...200_000_000), .repair(.startWorker(host: host)))
    }

    func crashHost(_ host: Int) {
        guard hosts[host].isUp else { return }
        note(.hostCrashed)
        say("host \(host) goes down")
        crashWorker(host, isTold: false)
        crashLauncher(host)
        hosts[host].isUp = false
        let lost = hosts[host].disk.crash(&chance)
        if lost.journal { note(.journalTorn) }
        if lost.records { note(.recordLost) }
        after(chance.span(5_000_000...200_000_000), .repair(.boot(host: host)))
    }

    private func strikeCoordinator(_ fault: Fault) {
        guard coordinator.process != nil else { return }
        if fault == .crashCoordinatorInStep {
            coordinator.process?.effectsLeft = chance.number(0...20)
            return
        }
        note(fault == .crashCoordinatorHost ? .coordinatorHostCrashed : .coordinatorCrashed)
        crashCoordinator(isHost: fault == .crashCoordinatorHost)
        after(chance.span(10_000...120_000_000), .repair(.startCoordinator))
    }

    /// It ends in order: sessions are closed, and what it has begun is finished for as long as its service waits.
    private func stopCoordinator() {
        guard let start = coordinator.process?.start else { return }
        note(.coordinatorStopped)
        feed(.stopping)
        after(chance.span(1_000...5_000_000), .coordinator(start: start, .ends))
        after(chance.span(5_000_000...60_000_000), .repair(.startCoordinator))
    }

    /// The wall clock is set, on a host or on the coordinator's.
    private func jumpClock(_ host: Int) {
        note(.wallClockJumped)
        let jump = chance.span(1_000...7_200_000) * (chance.one(in: 2) ? 1 : -1)
        if chance.one(in: 2) { coordinator.clock.set(byMs: jump) } else { hosts[host].clock.set(byMs: jump) }
    }

    private func strikeDisk(_ fault: Fault, _ host: Int) {
        let isCoordinator = fault == .fullCoordinatorDisk || fault == .failStore || chance.one(in: 2)
        switch fault {
        case .fullWorkerDisk:
            note(.workerDiskFull)
            hosts[host].isDiskFull = true
        case .fullCoordinatorDisk:
            note(.coordinatorDiskFull)
            coordinator.isDiskFull = true
        case .failStore: coordinator.failureOdds = chance.number(2...20)
        default:
            note(.diskSlow)
            if isCoordinator { coordinator.isDiskSlow = true } else { hosts[host].isDiskSlow = true }
        }
        let isHosts = fault == .fullWorkerDisk || !isCoordinator
        after(chance.span(100_000...60_000_000), .repair(isHosts ? .workerDisk(host: host) : .coordinatorDisk))
    }

    private func drain(_ host: Int) {
        guard coordinator.process?.isListening ?? false else { return }
        note(.drained)
        var drain = Drain(reason: "maintenance", deadline: nil)
        if chance.one(in: 2) {
            note(.drainDeadline)
            hosts[host].hadDrainDeadline = true
            drain.deadline = coordinator.clock.wall(at: now).advanced(by: .milliseconds(chance.number(0...20_000)))
        }
        command(.drain(hosts[host].id, drain))
        after(chance.span(1_000_000...60_000_000), .repair(.resume(host: host)))
    }

    private func command(_ command: CoordinatorState.Command) {
        guard let process = coordinator.process, process.isListening else { return }
        coordinator.process?.commandCount += 1
        feed(.command(CommandID(process.commandCount), command))
    }

    // MARK: Mending

    func mend(_ repair: Repair) {
        switch repair {
        case .path(let host): if hosts[host].path.isBlocked { unblock(host) }
        case .startWorker(let host): startWorker(host)
        case .startLauncher(let host): startLauncher(host)
        case .boot(let host): boot(host)
        case .startCoordinator: startCoordinator()
        case .workerDisk(let host):
            hosts[host].isDiskFull = false
            hosts[host].isDiskSlow = false
        case .coordinatorDisk:
            coordinator.isDiskFull = false
            coordinator.isDiskSlow = false
            coordinator.failureOdds = 0
        case .resume(let host): resume(host)
        }
    }

    /// An operator tries until the coordinator knows.
    private func resume(_ host: Int) {
        guard coordinator.process?.isListening ?? false else {
            return after(2_000_000, .repair(.resume(host: host)))
        }
        guard coordinator.store.enrolled[hosts[host].id]?.drain != nil else { return }
        note(.resumed)
        command(.drain(hosts[host].id, nil))
        after(2_000_000, .repair(.resume(host: host)))
    }

    /// Everything is mended that an operator would mend.
    func calmDown() {
        coordinator.process?.effectsLeft = nil
        mend(.coordinatorDisk)
        startCoordinator()
        for host in hosts.indices {
            hosts[host].worker?.effectsLeft = nil
            mend(.workerDisk(host: host))
            if hosts[host].path.isBlocked { unblock(host) }
            if hosts[host].isUp { startLauncher(host) } else { boot(host) }
            startWorker(host)
            after(1_000_000, .repair(.resume(host: host)))
        }
    }
}
