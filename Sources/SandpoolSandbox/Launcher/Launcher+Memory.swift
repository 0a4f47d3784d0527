import LinuxSystem

/// Version 1 kills one process for want of memory, and gives notice to the cgroup that has the limit, before it does.
/// With that process goes the whole command that it belongs to, as on version 2 by itself (memory.oom.group).
extension Launcher {
    private static let lookMs: UInt64 = 2
    /// After the last notice. What is about to end anyway is not counted (`task_will_free_mem`).
    private static let looks = 500

    func ranOutOfMemory(_ sandbox: RunningSandbox, _ notice: FileDescriptor) {
        guard let cgroup = sandbox.resources?.cgroup else { return }
        guard cgroup.hasHadChildren else {
            loop.forget(notice)
            return kill(sandbox)
        }
        sandbox.memorySearch.noticed += cgroup.takeOOMNotice()
        sandbox.memorySearch.looksLeft = Self.looks
        // One at a time, however many notices a sandbox can bring about.
        if !sandbox.memorySearch.isUnderWay { look(in: sandbox) }
    }

    /// Goes on with one that was under way.
    func resumeSearch(in sandbox: RunningSandbox) {
        if sandbox.memorySearch.isUnderWay { look(in: sandbox) }
    }

    /// Each cgroup counts its own: whose count has grown, it was.
    private func look(in sandbox: RunningSandbox) {
        sandbox.memorySearch.isUnderWay = false
        guard let resources = sandbox.resources else { return }
        if resources.cgroup.oomKills() > 0 { return kill(sandbox) }
        for exec in sandbox.execs.values where !exec.isOutOfMemory {
            guard let cgroup = exec.resources?.cgroup, cgroup.oomKills() > 0 else { continue }
            exec.isOutOfMemory = true
            sandbox.memorySearch.found()
            kill(exec)
        }
        guard sandbox.memorySearch.goesOn() else { return }
        sandbox.memorySearch.isUnderWay = true
        _ = loop.schedule(at: BoottimeClock.milliseconds() + Self.lookMs) { [unowned self] in look(in: sandbox) }
    }
}
