import LinuxSystem

/// The program that takes a launcher's place knows what that one knew.
extension Launcher {
    func takeOver(_ state: LauncherState, _ inherited: InheritedDescriptors) throws {
        lastToken = state.lastToken
        try factory.slots.take(over: state.slots, free: state.freeSlots)
        var known: [UInt64: RunningSandbox] = [:]
        for sandbox in state.sandboxes { known[sandbox.command.token] = try takeOver(sandbox, inherited) }
        for exec in state.execs {
            guard let sandbox = known[exec.sandbox] else { throw CodecError("\(exec.plan.id) is in no sandbox") }
            try takeOver(exec, in: sandbox, inherited)
        }
        for pid in state.unattended { try loop.reapAtEnd(ChildProcess.adopt(Int32(pid))) }
        // What has a time goes last: it may be over.
        for command in byToken.values {
            guard case .running = command.state else { continue }
            resumeTimers(command)
            if let sandbox = command as? RunningSandbox { resumeSearch(in: sandbox) }
        }
    }

    private func takeOver(
        _ state: LauncherState.SandboxState, _ inherited: InheritedDescriptors
    ) throws -> RunningSandbox {
        let command = state.command
        let sandbox = try RunningSandbox(
            plan: state.plan, token: command.token, requestedMicros: command.requestedMicros,
            standardOutput: SpoolFile(try inherited.take(command.standardOutput)),
            standardError: SpoolFile(try inherited.take(command.standardError)))
        try takeOver(command, sandbox, inherited)
        sandbox.isKilled = state.isKilled
        sandbox.memorySearch = state.memorySearch
        sandbox.downloadSink = try state.downloadSink.map { number throws(SystemError) in try inherited.take(number) }
        if state.isListed { enlist(sandbox) }
        guard let resources = state.resources else { return sandbox }
        let made = try takeOver(resources, state.plan, inherited)
        sandbox.resources = made
        alive += 1
        try watchRunning(sandbox, made)
        return sandbox
    }

    private func takeOver(
        _ state: LauncherState.SandboxState.Resources, _ plan: SandboxPlan, _ inherited: InheritedDescriptors
    ) throws -> RunningSandbox.Resources {
        let slot = try factory.slots.slot(state.slot)
        let mount = Mount(descriptor: try inherited.take(state.writable.mount))
        var disk: WritableDisk?
        switch state.writable.disk {
        case .none: break
        case .image(let bytes, let file):
            disk = .image(DiskImage(bytes: bytes, mount: mount, file: try inherited.take(file)))
        case .project(let id, let bytes, let inodes):
            let limit = ProjectDirectory.Limit(bytes: bytes, inodes: inodes)
            disk = .project(ProjectDirectory(id: id, limit: limit, mount: mount))
        }
        let notice = try state.cgroup.oomNotice.map { number throws(SystemError) in try inherited.take(number) }
        let namespace = try inherited.take(state.namespace)
        let first = try inherited.take(state.first)
        return RunningSandbox.Resources(
            slot: slot, ownsSlot: true,
            cgroup: try SandboxCgroup(takingOver: state.cgroup, oomNotice: notice, cgroups, name: plan.id),
            writable: WritableLayer(
                takingOver: state.writable, mount: mount, disk: disk, memoryBytes: plan.limits.memoryBytes,
                base: slot.base, keptAs: plan.downloads.isEmpty ? nil : plan.id, in: workshop),
            // What its files say of the network is in them.
            network: NetworkLease(namespace: namespace, resolvConf: [], hostsAddress: "", token: state.networkToken),
            first: first, namespaces: .ofFirst(first.descriptor),
            go: try inherited.take(state.go), failure: try inherited.take(state.failure),
            status: try inherited.take(state.status))
    }

    private func takeOver(
        _ state: LauncherState.ExecState, in sandbox: RunningSandbox, _ inherited: InheritedDescriptors
    ) throws {
        let command = state.command
        let exec = try RunningExec(
            plan: state.plan, in: sandbox, token: command.token, requestedMicros: command.requestedMicros,
            standardOutput: SpoolFile(try inherited.take(command.standardOutput)),
            standardError: SpoolFile(try inherited.take(command.standardError)))
        try takeOver(command, exec, inherited)
        exec.isForgotten = state.isForgotten
        exec.isKilled = state.isKilled
        exec.isOutOfMemory = state.isOutOfMemory
        execs[exec.id] = exec
        switch exec.state {
        case .running, .draining: sandbox.execs[exec.token] = exec
        case .waiting, .starting, .ended, .failed: break
        }
        guard let processes = state.processes, let cgroup = sandbox.resources?.cgroup else { return }
        let child = try inherited.take(processes.command)
        exec.resources = RunningExec.Resources(
            cgroup: try cgroup.findChild(SandboxFactory.execCgroup(state.plan.id)),
            failure: try inherited.take(processes.failure), command: child)
        try watch(exec, child)
    }

    private func takeOver(
        _ state: LauncherState.CommandState, _ command: RunningCommand, _ inherited: InheritedDescriptors
    ) throws(SystemError) {
        command.startedMs = state.startedMs
        command.setupMicros = state.setupMicros
        command.reason = state.reason
        command.killAtMs = state.killAtMs
        command.outputFailure = state.outputFailure
        if let input = state.standardInput {
            command.standardInput = StandardInput(
                pipe: try inherited.take(input.pipe), waiting: try inherited.take(input.waiting))
        }
        switch state.phase {
        case .running: command.state = .running
        case .draining(let report): command.state = .draining(report)
        case .ended(let report): command.state = .ended(report)
        case .failed(let failure): command.state = .failed(failure)
        }
        // Its spooler is still to say the last word on it.
        switch state.phase {
        case .running, .draining: byToken[command.token] = command
        case .ended, .failed: break
        }
    }
}

extension LauncherState {
    /// Directories with limits that sandboxes have.
    var usedProjects: Set<UInt32> {
        Set(
            sandboxes.compactMap { sandbox in
                guard case .project(let id, _, _)? = sandbox.resources?.writable.disk else { return nil }
                return id
            })
    }
}
