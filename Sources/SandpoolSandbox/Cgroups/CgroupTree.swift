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
        /// There are none that this launcher may divide, for this reason.
        case absent(reason: String)
    }

    private(set) var layout: Layout
    /// The directories, to be swept by the next launcher of the same data directory.
    let directories: [String]
    let placement: CgroupPlacement?

    /// Of a launcher that may make no cgroups.
    init(absentBecause reason: String) {
        layout = .absent(reason: reason)
        directories = []
        placement = nil
    }

    /// Whether this process is in a cgroup of version 2 that was delegated to its user, with what sandboxes need.
    static var isDelegatedHere: Bool {
        guard let membership = try? membership(), case .delegated(let own)? = try? placement(membership),
            let directory = try? FileDescriptor.open(own, O_PATH | O_DIRECTORY),
            let controllers = try? directory.read("cgroup.controllers")
        else { return false }
        return ControllerHandDown.missing(from: controllers).isEmpty
    }

    private static func membership() throws(SystemError) -> CgroupMembership {
        let root = try FileDescriptor.open("/", O_PATH | O_DIRECTORY)
        return CgroupMembership(
            cgroup: try root.read("proc/self/cgroup"), mountInfo: try root.read("proc/self/mountinfo", limit: 4 << 20))
    }

    private static func placement(_ membership: CgroupMembership) throws(LauncherError) -> CgroupPlacement {
        try CgroupPlacement(membership, isDelegated: isDelegated)
    }

    /// Makes the launcher's own directories, named `name`, and writes down where they are.
    init(name: String, data: DataDirectory) throws {
        let placement = try Self.placement(Self.membership())
        self.placement = placement
        directories = placement.directories(named: name)
        try Self.record(directories, data)
        if case .delegated(let parent) = placement { try ControllerHandDown.vacate(parent) }
        layout = try Self.layout(placement, directories)
    }

    /// What the program before made. Where this process is by now says nothing of where they are.
    init(takingOver placement: CgroupPlacement, name: String) throws {
        self.placement = placement
        directories = placement.directories(named: name)
        layout = try Self.layout(placement, directories)
    }

    /// Makes them again when somebody, such as a script that tidies up, removed them while no sandbox was alive.
    func renew() throws {
        if let placement { layout = try Self.layout(placement, directories) }
    }

    private static func layout(_ placement: CgroupPlacement, _ directories: [String]) throws -> Layout {
        switch placement {
        case .versionOne:
            let opened = try directories.map { path throws(SystemError) in try make(path) }
            return .hybrid(
                memory: opened[0], pids: opened[1], cpu: opened[2], unified: opened.count > 3 ? opened[3] : nil)
        case .delegated(let parent), .root(let parent):
            return .unified(try makeUnified(directories[0], below: parent))
        }
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

    /// systemd marks a unit with `Delegate=yes` so; only root may set the first (systemd.resource-control(5)).
    private static func isDelegated(_ cgroup: String) -> Bool {
        var value: UInt8 = 0
        let isMarked = ["trusted.delegate", "user.delegate"].contains { (name: String) in
            getxattr(cgroup, name, &value, 1) == 1 && value == UInt8(ascii: "1")
        }
        return isMarked || isOwnScope(cgroup)
    }

    /// The user managers of older systemds, such as Debian 12's 252, leave no mark that their users can read. Then it
    /// has to be a scope that was made for a launcher, in this user's hands.
    private static func isOwnScope(_ cgroup: String) -> Bool {
        let name = cgroup.split(separator: "/").last ?? ""
        var state = stat()
        return name.hasPrefix("sandpool-launcher-") && name.hasSuffix(".scope") && stat(cgroup, &state) == 0
            && state.st_uid == geteuid()
    }

    private static func makeUnified(_ path: String, below parent: String) throws -> FileDescriptor {
        try ControllerHandDown.enable(in: parent)
        let directory = try make(path)
        try ControllerHandDown.enable(in: path)
        return directory
    }

    private static func make(_ path: String) throws(SystemError) -> FileDescriptor {
        if mkdir(path, 0o755) != 0, errno != EEXIST { throw SystemError("mkdir \(path)", code: errno) }
        return try FileDescriptor.open(path, O_RDONLY | O_DIRECTORY)
    }
}
