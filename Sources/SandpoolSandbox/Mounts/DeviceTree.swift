import CLinux
import Glibc
import LinuxSystem

/// The `/dev` that all sandboxes share, read-only: made by the initial user namespace, because a sandbox's own
/// may not make device nodes; a launcher that may not either binds the host's. Each sandbox mounts its own `pts`
/// and `shm` over it.
struct DeviceTree {
    let mount: Mount
    private let isMade: Bool
    /// Where it is, below the launcher's run directory.
    static let place = "device"

    init(in run: FileDescriptor, _ rights: HostRights) throws(SystemError) {
        let tmpfs = try Mount.make(
            "tmpfs", [("mode", "0755"), ("size", "64k")], attributes: [.noSetUID, .noExecution])
        let directory = tmpfs.descriptor
        if rights.makesDevices { try Self.makeNodes(in: directory) }
        for (name, target) in [
            ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"),
            ("stderr", "/proc/self/fd/2"), ("ptmx", "pts/ptmx"),
        ] {
            try directory.makeSymbolicLink(name, to: target)
        }
        for name in ["pts", "shm"] { try directory.makeDirectory(name, mode: 0o755) }
        try tmpfs.attach(to: run.raw, Self.place)
        if !rights.makesDevices { try Self.bindNodes(in: directory) }
        try tmpfs.setAttributes(.readOnly)
        mount = tmpfs
        isMade = rights.makesDevices
    }

    private static let nodes: [(name: String, major: UInt32, minor: UInt32)] = [
        ("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0),
    ]

    private static func makeNodes(in directory: FileDescriptor) throws(SystemError) {
        for (name, major, minor) in nodes {
            try systemCall("mknod \(name)") {
                mknodat(directory.raw, name, S_IFCHR | 0o666, CLinux_makedev(major, minor))
            }
        }
    }

    /// What is at the host's path is looked at before it is trusted: a container may have put a file there.
    private static func bindNodes(in directory: FileDescriptor) throws(SystemError) {
        for (name, major, minor) in nodes {
            let node = try Mount.copy(of: FileDescriptor.currentDirectory, "/dev/\(name)")
            var state = stat()
            try systemCall("fstat /dev/\(name)") { fstat(node.descriptor.raw, &state) }
            guard state.st_mode & S_IFMT == S_IFCHR, state.st_rdev == CLinux_makedev(major, minor) else {
                throw SystemError("the host's /dev/\(name)", code: ENODEV)
            }
            try directory.makeFile(name, [], mode: 0o666)
            try node.attach(to: directory.raw, name)
        }
    }

    /// A copy to attach in one sandbox.
    func copy() throws(SystemError) -> Mount { try Mount.copy(of: mount.descriptor.raw, recursive: !isMade) }
}
