import CLinux
import Glibc
import LinuxSystem

/// The cgroup of one sandbox, made fresh and never used again: one that was killed kills whatever is cloned
/// into it later.
final class SandboxCgroup {
    let name: String
    private(set) var memory: CgroupPart?
    private(set) var pids: CgroupPart?
    private(set) var cpu: CgroupPart?
    private(set) var unified: CgroupPart?
    let isUnified: Bool
    /// On version 2, where its own processes are once there are children beside them; made for the first of these.
    private(set) var main: CgroupPart?
    private(set) var hasHadChildren = false
    /// Whether its processes have been moved there, and children have controllers.
    private(set) var isDivided = false
    /// Processes that are about to run a `CgroupDivision`, or do.
    private(set) var dividing = 0
    /// Readable when the kernel has killed for want of memory; version 1 only.
    private(set) var oomNotice: FileDescriptor?

    init(_ tree: CgroupTree, name: String, limits: SandboxPlan.Limits) throws(SystemError) {
        self.name = name
        var made: [CgroupPart] = []
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
            for part in made { _ = part.remove() }
            throw error
        }
    }

    /// One that the program before made.
    init(
        takingOver state: LauncherState.CgroupState, oomNotice: FileDescriptor?, _ tree: CgroupTree, name: String
    ) throws(SystemError) {
        self.name = name
        switch tree.layout {
        case .unified(let parent):
            isUnified = true
            let part = try CgroupPart.find(name, in: parent)
            (memory, unified) = (part, part)
            if state.hasMain { main = try CgroupPart.find(Self.mainName, in: part.directory) }
        case .hybrid(let memoryParent, let pidsParent, let cpuParent, let unifiedParent):
            isUnified = false
            memory = try CgroupPart.find(name, in: memoryParent)
            pids = try CgroupPart.find(name, in: pidsParent)
            cpu = try CgroupPart.find(name, in: cpuParent)
            if let unifiedParent { unified = try CgroupPart.find(name, in: unifiedParent) }
        case .absent: isUnified = false
        }
        hasHadChildren = state.hasHadChildren
        isDivided = state.isDivided
        self.oomNotice = oomNotice
    }

    var state: LauncherState.CgroupState {
        LauncherState.CgroupState(
            hasMain: main != nil, hasHadChildren: hasHadChildren, isDivided: isDivided, oomNotice: oomNotice?.raw)
    }

    /// That of a further command which runs.
    func findChild(_ name: String) throws(SystemError) -> ExecCgroup {
        let tree = try unified.map { part throws(SystemError) in try CgroupPart.find(name, in: part.directory) }
        if isUnified { return ExecCgroup(unified: tree, memory: tree, isUnified: true) }
        let own = try memory.map { part throws(SystemError) in try CgroupPart.find(name, in: part.directory) }
        return ExecCgroup(unified: tree, memory: own, isUnified: false, shared: [pids, cpu].compactMap { $0 })
    }

    private static let mainName = "main"

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

    /// Kills every process in it and below. False when this host cannot, and the caller has to.
    func kill() -> Bool { unified?.kill() ?? false }

    /// How often the kernel killed a process of the main command's for want of memory.
    ///
    /// Version 1 gives notice before it has killed: what the launcher then kills first, the kernel does not count.
    func oomKills() -> UInt64 {
        guard let memory else { return 0 }
        if isUnified {
            guard let main else { return memory.oomKills("memory.events") }
            return memory.oomKills("memory.events.local") + main.oomKills("memory.events")
        }
        let counted = memory.oomKills("memory.oom_control")
        return hasHadChildren ? counted : max(counted, hasOOMNotice ? 1 : 0)
    }

    private var hasOOMNotice: Bool {
        guard let oomNotice else { return false }
        var wanted = pollfd(fd: oomNotice.raw, events: Int16(POLLIN), revents: 0)
        return poll(&wanted, 1, 0) == 1
    }

    /// Makes it come again for the next kill; how many there were.
    func takeOOMNotice() -> UInt64 {
        var count: UInt64 = 0
        if let oomNotice, read(oomNotice.raw, &count, 8) != 8 { return 0 }
        return count
    }

    func peakMemory() -> UInt64 { memory?.peakMemory(isUnified: isUnified) ?? 0 }

    func cpuMilliseconds() -> UInt64 { unified?.cpuMilliseconds() ?? 0 }

    /// Removes what is left of it. False while a dying process still holds one: try again.
    func remove() -> Bool {
        var done = true
        for part in [main] + (isUnified ? [unified] : [memory, pids, cpu, unified]) {
            if let part, !part.remove() { done = false }
        }
        return done
    }

    // MARK: Children

    /// A cgroup for one more command. The limits are this one's, over all of its children together.
    func makeChild(_ name: String) throws(SystemError) -> ExecCgroup {
        hasHadChildren = true
        if isUnified, let unified {
            if main == nil { main = try CgroupPart.make(Self.mainName, in: unified.directory) }
            let child = try CgroupPart.make(name, in: unified.directory)
            if isDivided {
                do throws(SystemError) { try child.directory.write("1", to: "memory.oom.group") } catch {
                    _ = child.remove()
                    throw error
                }
                return ExecCgroup(unified: child, memory: child, isUnified: true)
            }
            let division = main.map {
                CgroupDivision(whole: unified.directory, main: $0.directory, child: child.directory)
            }
            if division != nil { dividing += 1 }
            return ExecCgroup(unified: child, memory: child, isUnified: true, division: division)
        }
        let own = try memory.map { part throws(SystemError) in try CgroupPart.make(name, in: part.directory) }
        do throws(SystemError) {
            let tree = try unified.map { part throws(SystemError) in try CgroupPart.make(name, in: part.directory) }
            return ExecCgroup(unified: tree, memory: own, isUnified: false, shared: [pids, cpu].compactMap { $0 })
        } catch {
            _ = own?.remove()
            throw error
        }
    }

    /// After a process has run a `CgroupDivision`, or has died in one, or was never made. What one that died left
    /// frozen is thawed with the last of them: whoever comes after it needs it frozen, and thaws it.
    func endDivision() {
        guard let unified else { return }
        dividing -= 1
        isDivided = CgroupDivision.isDone(in: unified.directory)
        if dividing == 0 { CgroupDivision.thaw(unified.directory) }
    }

    private static func make(
        _ name: String, in parent: FileDescriptor, _ made: inout [CgroupPart]
    ) throws(SystemError) -> CgroupPart {
        let part = try CgroupPart.make(name, in: parent)
        made.append(part)
        return part
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
