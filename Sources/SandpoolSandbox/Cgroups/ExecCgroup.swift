import Glibc
import LinuxSystem

/// The cgroup of one more command of a sandbox, below the sandbox's own, whose limits hold for all together. By it what
/// the kernel kills for want of memory, and what is killed at the command's end, is this command alone.
final class ExecCgroup {
    private let unified: CgroupPart?
    private let memory: CgroupPart?
    private let isUnified: Bool
    /// The sandbox's own of version 1 that it has no child in.
    private let shared: [CgroupPart]
    /// What has to be done first, by whoever joins it.
    let division: CgroupDivision?

    init(
        unified: CgroupPart?, memory: CgroupPart?, isUnified: Bool, shared: [CgroupPart] = [],
        division: CgroupDivision? = nil
    ) {
        self.unified = unified
        self.memory = memory
        self.isUnified = isUnified
        self.shared = shared
        self.division = division
    }

    /// The version 2 cgroup that a new process is to be cloned into. Not one that is about to be frozen.
    var cloneTarget: FileDescriptor? { division == nil ? unified?.directory : nil }

    /// Files that put the process that writes 0 to them into this cgroup, where clone3 cannot.
    func joinFiles() throws(SystemError) -> [FileDescriptor] {
        guard let memory else { return [] }
        if isUnified { return division == nil ? [] : [try memory.directory.open("cgroup.procs", O_WRONLY)] }
        return try (shared + [memory]).map { part throws(SystemError) in try part.directory.open("tasks", O_WRONLY) }
    }

    /// Kills every process in it, the whole tree of the command's. Where a host with version 1 alone gives only their
    /// list, one that forks meanwhile is found the next time.
    func kill() {
        if let unified, unified.kill() { return }
        guard let text = try? memory?.directory.read("cgroup.procs", limit: 4 << 20) else { return }
        for pid in text.split(separator: "\n").compactMap({ pid_t($0) }) where pid > 1 { Glibc.kill(pid, SIGKILL) }
    }

    /// How often the kernel killed one of its processes for want of memory.
    func oomKills() -> UInt64 { memory?.oomKills(isUnified ? "memory.events" : "memory.oom_control") ?? 0 }

    func peakMemory() -> UInt64 { memory?.peakMemory(isUnified: isUnified) ?? 0 }

    func cpuMilliseconds() -> UInt64 { unified?.cpuMilliseconds() ?? 0 }

    /// False while a dying process still holds it: try again.
    func remove() -> Bool {
        let parts = isUnified ? [unified] : [memory, unified]
        var done = true
        for part in parts { if let part, !part.remove() { done = false } }
        return done
    }
}
