import CLinux
import Glibc
import LinuxSystem

/// The cgroup of one sandbox, made fresh and never used again: one that was killed kills whatever is cloned
/// into it later.
final class SandboxCgroup {
    private struct Part {
        var parent: FileDescriptor
        var directory: FileDescriptor
    }

    let name: String
    private var memory: Part?
    private var pids: Part?
    private var cpu: Part?
    private var unified: Part?
    private let isUnified: Bool
    /// Readable when the kernel has killed for want of memory; version 1 only.
    private(set) var oomNotice: FileDescriptor?

    init(_ tree: CgroupTree, name: String, limits: SandboxPlan.Limits) throws(SystemError) {
        self.name = name
        var made: [FileDescriptor] = []
        do throws(SystemError) {
            let quota = max(1_000, UInt64(limits.cpuMillis) * 100)
            switch tree.layout {
            case .unified(let parent):
                let part = try Self.make(name, in: parent, &made)
                memory = part
                isUnified = true
                unified = part
                let directory = part.directory
                try directory.write("\(limits.memoryBytes)", to: "memory.max")
                // Absent on a kernel without swap: since 6.1 nothing else turns its accounting off.
                try Self.writeIfPresent("0", to: "memory.swap.max", in: directory)
                try directory.write("1", to: "memory.oom.group")
                try directory.write("\(limits.pids)", to: "pids.max")
                try directory.write("\(quota) 100000", to: "cpu.max")
                let weight = CPUWeight.versionTwo(limits.cpuMillis)
                if weight != CPUWeight.versionTwoDefault { try directory.write("\(weight)", to: "cpu.weight") }
            case .hybrid(let memoryParent, let pidsParent, let cpuParent, let unifiedParent):
                isUnified = false
                let memory = try Self.make(name, in: memoryParent, &made)
                self.memory = memory
                let pids = try Self.make(name, in: pidsParent, &made)
                self.pids = pids
                let cpu = try Self.make(name, in: cpuParent, &made)
                self.cpu = cpu
                if let unifiedParent { unified = try Self.make(name, in: unifiedParent, &made) }
                try memory.directory.write("\(limits.memoryBytes)", to: "memory.limit_in_bytes")
                let countsSwap = try Self.writeIfPresent(
                    "\(limits.memoryBytes)", to: "memory.memsw.limit_in_bytes", in: memory.directory)
                // Of its own on version 1, and 0 keeps this cgroup from the swap (cgroup-v1/memory.rst, 5.3).
                if !countsSwap { try memory.directory.write("0", to: "memory.swappiness") }
                try pids.directory.write("\(limits.pids)", to: "pids.max")
                try cpu.directory.write("\(quota)", to: "cpu.cfs_quota_us")
                let shares = CPUWeight.versionOne(limits.cpuMillis)
                if shares != CPUWeight.versionOneDefault { try cpu.directory.write("\(shares)", to: "cpu.shares") }
                oomNotice = try Self.watchOOM(memory.directory)
            case .absent: isUnified = false
            }
        } catch {
            // Nothing was ever in them.
            for parent in made { _ = unlinkat(parent.raw, name, AT_REMOVEDIR) }
            throw error
        }
    }

    /// The version 2 cgroup that a new process is to be cloned into.
    var cloneTarget: FileDescriptor? { unified?.directory }

    /// Version 1 files that put the process that writes 0 to them into this cgroup, where clone3 cannot. A
    /// process that moves itself takes no lock that waits for an RCU grace period; being moved by another does,
    /// milliseconds for each hierarchy (`cgroup_procs_write_start`).
    func joinFiles() throws(SystemError) -> [FileDescriptor] {
        if isUnified { return [] }
        var files: [FileDescriptor] = []
        for part in [memory, pids, cpu] {
            if let part { files.append(try part.directory.open("tasks", O_WRONLY)) }
        }
        return files
    }

    /// Kills every process in it. False when this host cannot, and the caller has to.
    func kill() -> Bool {
        guard let unified else { return false }
        return (try? unified.directory.write("1", to: "cgroup.kill")) != nil
    }

    /// How often the kernel killed a process for want of memory.
    ///
    /// Version 1 gives notice before it has killed: what the launcher then kills first, the kernel does not count.
    func oomKills() -> UInt64 {
        let file = isUnified ? "memory.events" : "memory.oom_control"
        let counted = (try? memory?.directory.read(file)).flatMap { KeyedFile($0)["oom_kill"] } ?? 0
        return max(counted, hasOOMNotice ? 1 : 0)
    }

    private var hasOOMNotice: Bool {
        guard let oomNotice else { return false }
        var wanted = pollfd(fd: oomNotice.raw, events: Int16(POLLIN), revents: 0)
        return poll(&wanted, 1, 0) == 1
    }

    func peakMemory() -> UInt64 {
        let file = isUnified ? "memory.peak" : "memory.max_usage_in_bytes"
        return (try? memory?.directory.read(file)).flatMap { UInt64($0.prefix { $0.isNumber }) } ?? 0
    }

    func cpuMilliseconds() -> UInt64 {
        guard let unified, let text = try? unified.directory.read("cpu.stat") else { return 0 }
        return (KeyedFile(text)["usage_usec"] ?? 0) / 1_000
    }

    /// Removes what is left of it. False while a dying process still holds one: try again.
    func remove() -> Bool {
        var done = true
        for part in isUnified ? [unified] : [memory, pids, cpu, unified] {
            guard let part else { continue }
            if unlinkat(part.parent.raw, name, AT_REMOVEDIR) != 0, errno == EBUSY { done = false }
        }
        return done
    }

    private static func make(
        _ name: String, in parent: FileDescriptor, _ made: inout [FileDescriptor]
    ) throws(SystemError) -> Part {
        try systemCall("mkdir cgroup \(name)") { mkdirat(parent.raw, name, 0o755) }
        made.append(parent)
        return Part(parent: parent, directory: try parent.open(name, O_RDONLY | O_DIRECTORY))
    }

    /// The event of Documentation/admin-guide/cgroup-v1/memory.rst, section 10.
    private static func watchOOM(_ memory: FileDescriptor) throws(SystemError) -> FileDescriptor {
        let event = FileDescriptor(owning: try systemCall("eventfd") { eventfd(0, Int32(EFD_CLOEXEC)) })
        let control = try memory.open("memory.oom_control", O_RDONLY)
        try memory.write("\(event.raw) \(control.raw)", to: "cgroup.event_control")
        return event
    }

    /// False where this kernel has no such file.
    @discardableResult
    private static func writeIfPresent(
        _ text: String, to name: String, in directory: FileDescriptor
    ) throws(SystemError) -> Bool {
        do throws(SystemError) {
            try directory.write(text, to: name)
            return true
        } catch  where error.code == ENOENT {
            return false
        }
    }
}
