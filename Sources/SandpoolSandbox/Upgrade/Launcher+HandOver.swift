import LinuxSystem

/// What the launcher hands over to the program that takes its place.
extension Launcher {
    /// What has to be over first; nil when there is nothing.
    var unsettled: String? {
        if isEnding { return "it is ending" }
        for sandbox in sandboxes.values {
            if sandbox.onEnd != nil { return "\(sandbox.id) is at work for the launcher" }
            if let what = unsettled(sandbox) { return "sandbox \(sandbox.id) \(what)" }
        }
        for exec in execs.values {
            if let what = unsettled(exec) { return "command \(exec.id) \(what)" }
        }
        let whole = sandboxes.values.count { $0.resources != nil }
        if alive > whole { return "\(alive - whole) sandboxes are being removed" }
        if !disks.isQuiet { return "disks are being made or removed" }
        return nil
    }

    private func unsettled(_ sandbox: RunningSandbox) -> String? {
        switch sandbox.state {
        case .waiting, .starting: return "is being set up"
        case .running:
            guard let resources = sandbox.resources, resources.cgroup.dividing == 0 else { return "is being divided" }
            return nil
        case .draining:
            if sandbox.downloadSink != nil { return "is being read for downloads" }
            return sandbox.afterExecs == nil ? nil : "waits for its further commands"
        case .ended, .failed: return nil
        }
    }

    private func unsettled(_ exec: RunningExec) -> String? {
        switch exec.state {
        case .waiting, .starting: "is being set up"
        case .running: exec.resources?.command == nil ? "is being set up or removed" : nil
        case .draining: exec.resources == nil ? nil : "is being removed"
        case .ended, .failed: nil
        }
    }

    /// Of all that is settled.
    func state(upgrades: UInt32, layerRemovals: UInt64, _ service: LauncherState.ServiceState) -> LauncherState? {
        guard let placement = cgroups.placement else { return nil }
        let execs = byToken.values.compactMap { $0 as? RunningExec } + self.execs.values.filter(\.hasEnded)
        let settled = execs.filter { unsettled($0) == nil }
        let listed = sandboxes.values.filter { $0.onEnd == nil && unsettled($0) == nil }
        // Each once, also one that was released before a further command of it.
        let others = settled.map(\.sandbox).filter { sandboxes[$0.id] !== $0 }
        let unlisted = Dictionary(others.map { ($0.token, $0) }) { first, _ in first }.values
        return LauncherState(
            upgrades: upgrades, lastToken: lastToken, lock: data.lock.raw,
            spooler: LauncherState.Process(spooler.process),
            spoolerSocket: spooler.socket.descriptor.raw, cgroups: placement, skeleton: skeleton.state,
            seed: workshop.seed.raw, slots: factory.slots.all.map(\.state), freeSlots: factory.slots.free.map(\.index),
            layerRemovals: layerRemovals, unattended: loop.unattended.map { UInt32($0) },
            network: (network as? SandboxNetwork)?.state,
            sandboxes: listed.compactMap { state($0, isListed: true) }
                + unlisted.compactMap { state($0, isListed: false) },
            execs: settled.compactMap(state), service: service)
    }

    private func state(_ sandbox: RunningSandbox, isListed: Bool) -> LauncherState.SandboxState? {
        guard let command = commandState(sandbox) else { return nil }
        var plan = sandbox.plan
        (plan.arguments, plan.environment) = ([], [])
        return LauncherState.SandboxState(
            plan: plan, command: command, isListed: isListed, isKilled: sandbox.isKilled,
            memorySearch: sandbox.memorySearch, downloadSink: sandbox.downloadSink?.raw,
            resources: sandbox.resources.map { resources in
                LauncherState.SandboxState.Resources(
                    slot: resources.slot.index, cgroup: resources.cgroup.state, writable: resources.writable.state,
                    namespace: resources.network.namespace.raw, networkToken: resources.network.token,
                    first: LauncherState.Process(resources.first), go: resources.go.raw, failure: resources.failure.raw,
                    status: resources.status.raw)
            })
    }

    private func state(_ exec: RunningExec) -> LauncherState.ExecState? {
        guard let command = commandState(exec) else { return nil }
        var plan = exec.plan
        (plan.arguments, plan.environment) = ([], [])
        return LauncherState.ExecState(
            plan: plan, sandbox: exec.sandbox.token, command: command, isForgotten: exec.isForgotten,
            isKilled: exec.isKilled, isOutOfMemory: exec.isOutOfMemory,
            processes: exec.resources.flatMap { resources in
                resources.command.map {
                    LauncherState.ExecState.Processes(
                        command: LauncherState.Process($0), failure: resources.failure.raw)
                }
            })
    }

    private func commandState(_ command: RunningCommand) -> LauncherState.CommandState? {
        let phase: LauncherState.Phase
        switch command.state {
        case .waiting, .starting: return nil
        case .running: phase = .running
        case .draining(let report): phase = .draining(report)
        case .ended(let report): phase = .ended(report)
        case .failed(let failure): phase = .failed(failure)
        }
        return LauncherState.CommandState(
            token: command.token, requestedMicros: command.requestedMicros, startedMs: command.startedMs,
            setupMicros: command.setupMicros, phase: phase, reason: command.reason, killAtMs: command.killAtMs,
            outputFailure: command.outputFailure, standardOutput: command.standardOutput.file.raw,
            standardError: command.standardError.file.raw, standardInput: command.standardInput?.state)
    }
}

extension RunningCommand {
    fileprivate var hasEnded: Bool {
        switch state {
        case .ended, .failed: true
        case .waiting, .starting, .running, .draining: false
        }
    }
}

extension LauncherState.Process {
    init(_ process: ChildProcess) { self.init(pid: UInt32(process.pid), descriptor: process.descriptor.raw) }
}

extension SandboxNetwork {
    /// What of it is on the host; nil where there is nothing yet.
    var state: LauncherState.NetworkState? {
        guard let host else { return nil }
        var known: LauncherState.NetworkState.Forwarder?
        if let child = forwarder?.child, let control = forwarder?.control {
            known = LauncherState.NetworkState.Forwarder(
                process: LauncherState.Process(child), control: control.descriptor.raw)
        }
        return LauncherState.NetworkState(
            plan: UInt32(host.plan.number), datagram: host.sockets.datagram.raw, stream: host.sockets.stream.raw,
            usedSlots: UInt32(slots.fresh), lastToken: lastToken, forwarder: known,
            sandboxes: openSandboxes.map { token, sandbox in
                LauncherState.NetworkState.OpenSandbox(
                    token: token, slot: UInt32(sandbox.namespace.slot),
                    namespace: sandbox.namespace.descriptor.raw, netfilter: sandbox.namespace.filter.socket.file.raw,
                    policy: sandbox.policy)
            })
    }
}
