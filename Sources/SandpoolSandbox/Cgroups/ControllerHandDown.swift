import Glibc
import LinuxSystem

/// Gives the children of a version 2 cgroup the controllers that sandboxes need.
enum ControllerHandDown {
    static let needed = ["cpu", "memory", "pids"]
    /// A process can start another while it is moved.
    private static let rounds = 16

    /// Moves everything that runs in a delegated cgroup, the launcher's earlier children too, into one child.
    static func vacate(_ parent: String) throws(SystemError) {
        let leaf = "\(parent)/launcher"
        if mkdir(leaf, 0o755) != 0, errno != EEXIST { throw SystemError("mkdir \(leaf)", code: errno) }
        try move(
            from: try FileDescriptor.open(parent, O_PATH | O_DIRECTORY),
            to: try FileDescriptor.open(leaf, O_PATH | O_DIRECTORY))
    }

    /// Moves every process of one cgroup into another.
    static func move(from source: FileDescriptor, to target: FileDescriptor) throws(SystemError) {
        for _ in 0..<rounds {
            let pids = try source.read("cgroup.procs", limit: 4 << 20).split(separator: "\n")
            if pids.isEmpty { return }
            for pid in pids {
                do throws(SystemError) {
                    try target.write(String(pid), to: "cgroup.procs")
                } catch  where error.code == ESRCH {
                    continue
                }
            }
        }
        throw SystemError("move processes to another cgroup", code: EBUSY)
    }

    /// What of the needed is not in a `cgroup.controllers` file.
    static func missing(from controllers: String) -> [String] {
        let offered = controllers.split { $0.isWhitespace }
        return needed.filter { !offered.contains(Substring($0)) }
    }

    static func enable(in path: String) throws(LauncherError) {
        let missing: [String]
        do throws(SystemError) {
            let directory = try FileDescriptor.open(path, O_PATH | O_DIRECTORY)
            missing = self.missing(from: try directory.read("cgroup.controllers"))
            if missing.isEmpty {
                return try directory.write(needed.map { "+\($0)" }.joined(separator: " "), to: "cgroup.subtree_control")
            }
        } catch {
            throw LauncherError(
                "cgroups: \(path) cannot hand \(needed.joined(separator: ", ")) down (\(error)); "
                    + "run the launcher as a systemd unit with Delegate=yes")
        }
        throw LauncherError(
            "cgroups: \(path) has no controller \(missing.joined(separator: ", ")); "
                + "is it disabled on the kernel's command line, or still on version 1?")
    }
}
