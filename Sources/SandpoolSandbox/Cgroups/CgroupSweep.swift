import Glibc
import LinuxSystem

/// Removes the cgroups of an earlier launcher of the same data directory, which wrote down where they are.
/// Whatever runs in them is killed: without its launcher nobody keeps its deadline.
enum CgroupSweep {
    static let record = "cgroups"
    private static let rounds = 200
    private static let roundMs: Int32 = 50

    static func run(_ data: DataDirectory) throws(SystemError) {
        guard let text = try? data.directory.read(record) else { return }
        for path in text.split(separator: "\n").map(String.init) {
            guard let directory = try? FileDescriptor.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW) else { continue }
            for name in try DirectoryListing.names(in: directory) {
                guard let child = try? directory.open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW) else { continue }
                try remove(name, child, in: directory)
            }
            // This launcher may be put elsewhere. What else is in it is not a launcher's, and keeps it.
            rmdir(path)
        }
    }

    private static func remove(
        _ name: String, _ cgroup: FileDescriptor, in parent: FileDescriptor
    ) throws(SystemError) {
        for _ in 0..<rounds {
            if unlinkat(parent.raw, name, AT_REMOVEDIR) == 0 || errno == ENOENT { return }
            guard errno == EBUSY else { throw SystemError("rmdir cgroup \(name)", code: errno) }
            // Those of further commands are below the sandbox's.
            for inner in try DirectoryListing.names(in: cgroup) {
                guard let child = try? cgroup.open(inner, O_RDONLY | O_DIRECTORY | O_NOFOLLOW) else { continue }
                try remove(inner, child, in: cgroup)
            }
            let text = try cgroup.read("cgroup.procs", limit: 4 << 20)
            for pid in text.split(separator: "\n").compactMap({ pid_t($0) }) where pid > 1 {
                kill(pid, SIGKILL)
                waitForEnd(of: pid)
            }
        }
        throw SystemError("rmdir cgroup \(name)", code: EBUSY)
    }

    private static func waitForEnd(of pid: pid_t) {
        guard let process = try? ChildProcess.open(pid) else { return }
        var state = pollfd(fd: process.raw, events: Int16(POLLIN), revents: 0)
        poll(&state, 1, roundMs)
    }
}
