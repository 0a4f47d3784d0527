import CLinux
import Glibc
import LinuxSystem

/// The cgroups of one launcher's sandboxes: below one directory of its own in each hierarchy it uses.
///
/// Where the host has controllers on version 1, `memory`, `pids` and `cpu` are used there, and beside them the
/// version 2 tree for `cgroup.kill` and `cpu.stat`, which need no controller.
final class CgroupTree {
    enum Layout {
        case unified(FileDescriptor)
        case hybrid(memory: FileDescriptor, pids: FileDescriptor, cpu: FileDescriptor, unified: FileDescriptor?)
    }

    let layout: Layout
    /// The directories, to be swept by the next launcher of the same data directory.
    let directories: [String]

    /// Makes the launcher's own directories, named `name`, and writes down where they are.
    init(name: String, data: DataDirectory) throws(SystemError) {
        let root = try FileDescriptor.open("/", O_PATH | O_DIRECTORY)
        let membership = CgroupMembership(
            cgroup: try root.read("proc/self/cgroup"), mountInfo: try root.read("proc/self/mountinfo", limit: 4 << 20))
        if let memory = membership.controllers["memory"] {
            guard let pids = membership.controllers["pids"], let cpu = membership.controllers["cpu"] else {
                throw SystemError(
                    "cgroups: the memory controller is on version 1, pids or cpu is nowhere", code: ENOENT)
            }
            var directories = ["\(memory)/\(name)", "\(pids)/\(name)", "\(cpu)/\(name)"]
            if let own = membership.unified { directories.append("\(own)/\(name)") }
            try Self.record(directories, data)
            let opened = try directories[..<3].map { path throws(SystemError) in try Self.make(path) }
            var unified: FileDescriptor?
            if let own = membership.unified { unified = try Self.make("\(own)/\(name)") }
            layout = .hybrid(memory: opened[0], pids: opened[1], cpu: opened[2], unified: unified)
            self.directories = directories
            return
        }
        guard let own = membership.unified, let mount = membership.unifiedMount else {
            throw SystemError("cgroups: neither version is mounted", code: ENOENT)
        }
        let parent = try Self.delegatedParent(own: own, mount: mount)
        let path = "\(parent)/\(name)"
        try Self.record([path], data)
        layout = .unified(try Self.make(path))
        directories = [path]
        let wanted = "+memory +pids +cpu"
        try FileDescriptor.open(parent, O_PATH | O_DIRECTORY).write(wanted, to: "cgroup.subtree_control")
        try FileDescriptor.open(path, O_PATH | O_DIRECTORY).write(wanted, to: "cgroup.subtree_control")
    }

    /// At an orderly end, when every sandbox's is gone.
    func remove() {
        for directory in directories { rmdir(directory) }
    }

    /// Before they are made, so that whatever happens the next launcher finds them.
    private static func record(_ directories: [String], _ data: DataDirectory) throws(SystemError) {
        let half = CgroupSweep.record + ".half"
        _ = unlinkat(data.directory.raw, half, 0)
        try data.directory.makeFile(half, Array(directories.joined(separator: "\n").utf8), mode: 0o600)
        try systemCall("rename \(half)") { renameat(data.directory.raw, half, data.directory.raw, CgroupSweep.record) }
    }

    /// A unit with `Delegate=yes` owns its cgroup: the launcher moves into a child of it, since a cgroup with
    /// processes cannot hand controllers down. Started by hand, it uses the root, which can.
    private static func delegatedParent(own: String, mount: String) throws(SystemError) -> String {
        var value: UInt8 = 0
        let delegated = ["trusted.delegate", "user.delegate"].contains { (name: String) in
            getxattr(own, name, &value, 1) == 1
        }
        guard delegated, value == UInt8(ascii: "1") else { return mount }
        _ = try make("\(own)/launcher")
        try FileDescriptor.open("\(own)/launcher", O_PATH | O_DIRECTORY).write("0", to: "cgroup.procs")
        return own
    }

    private static func make(_ path: String) throws(SystemError) -> FileDescriptor {
        if mkdir(path, 0o755) != 0, errno != EEXIST { throw SystemError("mkdir \(path)", code: errno) }
        return try FileDescriptor.open(path, O_RDONLY | O_DIRECTORY)
    }
}
