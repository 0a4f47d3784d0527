import CLinux
import Glibc
import LinuxSystem

/// The `/dev` that all sandboxes share, read-only: made by the initial user namespace, because a sandbox's own
/// may not make device nodes. Each sandbox mounts its own `pts` and `shm` over it.
struct DeviceTree {
    let mount: Mount

    init(in run: FileDescriptor) throws(SystemError) {
        let tmpfs = try Mount.make(
            "tmpfs", [("mode", "0755"), ("size", "64k")], attributes: [.noSetUID, .noExecution])
        let directory = tmpfs.descriptor
        for (name, major, minor): (String, UInt32, UInt32) in [
            ("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0),
        ] {
            try systemCall("mknod \(name)") {
                mknodat(directory.raw, name, S_IFCHR | 0o666, CLinux_makedev(major, minor))
            }
        }
        for (name, target) in [
            ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"),
            ("stderr", "/proc/self/fd/2"), ("ptmx", "pts/ptmx"),
        ] {
            try directory.makeSymbolicLink(name, to: target)
        }
        for name in ["pts", "shm"] { try directory.makeDirectory(name, mode: 0o755) }
        try tmpfs.attach(to: run.raw, "device")
        try tmpfs.setAttributes(.readOnly)
        mount = tmpfs
    }

    /// A copy to attach in one sandbox.
    func copy() throws(SystemError) -> Mount { try Mount.copy(of: mount.descriptor.raw) }
}
