import CLinux
import Glibc
import LinuxSystem

/// One directory of a cgroup tree that was made here.
struct CgroupPart {
    private let parent: FileDescriptor
    private let name: String
    let directory: FileDescriptor

    static func make(_ name: String, in parent: FileDescriptor) throws(SystemError) -> CgroupPart {
        try systemCall("mkdir cgroup \(name)") { mkdirat(parent.raw, name, 0o755) }
        do throws(SystemError) {
            return CgroupPart(
                parent: parent, name: name, directory: try parent.open(name, O_RDONLY | O_DIRECTORY))
        } catch {
            _ = unlinkat(parent.raw, name, AT_REMOVEDIR)
            throw error
        }
    }

    /// One that was made before.
    static func find(_ name: String, in parent: FileDescriptor) throws(SystemError) -> CgroupPart {
        CgroupPart(parent: parent, name: name, directory: try parent.open(name, O_RDONLY | O_DIRECTORY))
    }

    private init(parent: FileDescriptor, name: String, directory: FileDescriptor) {
        self.parent = parent
        self.name = name
        self.directory = directory
    }

    /// False while a dying process, or a cgroup below it, still holds it: try again.
    func remove() -> Bool { unlinkat(parent.raw, name, AT_REMOVEDIR) == 0 || errno != EBUSY }

    /// How often the kernel killed a process for want of memory, by one of these files: `memory.events` of version 2
    /// counts what is below it too, `memory.events.local` and `memory.oom_control` of version 1 do not.
    func oomKills(_ file: String) -> UInt64 {
        (try? directory.read(file)).flatMap { KeyedFile($0)["oom_kill"] } ?? 0
    }

    /// The highest use of memory, in bytes.
    func peakMemory(isUnified: Bool) -> UInt64 {
        let file = isUnified ? "memory.peak" : "memory.max_usage_in_bytes"
        return (try? directory.read(file)).flatMap { UInt64($0.prefix { $0.isNumber }) } ?? 0
    }

    /// Of version 2, which counts processor time without a controller.
    func cpuMilliseconds() -> UInt64 {
        guard let text = try? directory.read("cpu.stat") else { return 0 }
        return (KeyedFile(text)["usage_usec"] ?? 0) / 1_000
    }

    /// Kills every process in it and below it, of version 2. False when this host cannot.
    func kill() -> Bool { (try? directory.write("1", to: "cgroup.kill")) != nil }
}
