import Glibc
import LinuxSystem

/// A range of 65,536 ids of the host that one sandbox at a time has as its 0 to 65,535.
enum IdMap {
    static let count: UInt32 = 65_536
    /// Above what `/etc/subuid` and systemd hand out, below 2^31, where some programs fail.
    private static let first: UInt32 = 0x1000_0000

    static func base(slot: UInt32) -> UInt32 { first + slot * count }

    /// The map of a range for each slot.
    static func text(base: UInt32) -> String { "0 \(base) \(count)\n" }

    static func write(_ map: String, for process: ChildProcess) throws(SystemError) {
        let directory = try FileDescriptor.open("/proc/\(process.pid)", O_PATH | O_DIRECTORY)
        try directory.write(map, to: "uid_map")
        try directory.write(map, to: "gid_map")
    }

    /// A user namespace that no process ever runs in: it only says how a mount shows ids.
    static func userNamespace(base: UInt32) throws(SystemError) -> FileDescriptor {
        let launcher = getpid()
        let holder = try ChildProcess.clone(.user) {
            // It has the launcher's lock on the data directory: it must not outlive it.
            try? ProcessControl.killWhenParentEnds()
            while getppid() == launcher { pause() }
            _exit(0)
        }
        defer {
            try? holder.send(SIGKILL)
            _ = try? holder.reap()
        }
        try write(text(base: base), for: holder)
        return try FileDescriptor.open("/proc/\(holder.pid)/ns/user", O_RDONLY)
    }
}
