import CLinux
import Glibc
import LinuxSystem

/// Two mount namespaces. The launcher works in its own, where everything temporary is below one tmpfs, so that
/// nothing is left when it dies. Sandboxes are cloned from the seed, which holds a few empty places and
/// a procfs, so that what a clone copies does not grow with the number of sandboxes.
///
/// The procfs in the seed is what lets the sandbox mount its own: the kernel wants to see one that hides
/// nothing (mount_too_revealing). Both go with the sandbox's pivot_root.
final class MountWorkshop {
    /// The tmpfs; also the current directory of the launcher, so that paths for overlay stay short and plain.
    let run: FileDescriptor
    let overlays: OverlayMounts
    private let own: FileDescriptor
    let seed: FileDescriptor

    /// Where the seed has the place for the sandbox's root.
    static let rootPoint = "/root"
    /// What the seed has to mount over what a sandbox must not see.
    static let emptyDirectory = "/empty"
    static let emptyFile = "/nothing"
    /// An empty directory in `run`, as a lower layer.
    static let noLayer = "nothing"

    /// Before anything is opened: mounts can only be copied through descriptors of the same namespace.
    static func leaveHost() throws(SystemError) {
        try Namespaces.mount.unshare()
        try Mount.makePrivate("/")
    }

    init(runPath: String, _ rights: HostRights, hasOldOverlays: Bool) throws(SystemError) {
        let tmpfs = try Mount.make("tmpfs", [("mode", "0700"), ("size", "64m")], attributes: [.noSetUID])
        let point = try FileDescriptor.open(runPath, O_PATH | O_DIRECTORY)
        try tmpfs.attach(to: point.raw)
        run = tmpfs.descriptor
        try systemCall("fchdir") { fchdir(tmpfs.descriptor.raw) }
        for name in ["slots", "writable", "kept", DeviceTree.place, "seed", Self.noLayer] {
            try run.makeDirectory(name, mode: 0o700)
        }

        overlays = try OverlayMounts(run: run, rights.overlayOptions, isOld: hasOldOverlays)

        own = try FileDescriptor.open("/proc/self/ns/mnt", O_RDONLY)
        try Namespaces.mount.unshare()
        seed = try Self.makeSeed(at: "\(runPath)/seed", rights)
        try Namespaces.mount.enter(own)
        try systemCall("fchdir") { fchdir(tmpfs.descriptor.raw) }
    }

    /// What the program before made, in whose mount namespace and current directory this process is.
    init(takingOver runPath: String, seed: FileDescriptor, _ rights: HostRights, hasOldOverlays: Bool)
        throws(SystemError)
    {
        let run = try FileDescriptor.open(runPath, O_RDONLY | O_DIRECTORY)
        self.run = run
        try systemCall("fchdir") { fchdir(run.raw) }
        // Sandboxes have copies of their own of what is mounted there.
        try Mount.detach(DeviceTree.place)
        overlays = try OverlayMounts(run: run, rights.overlayOptions, isOld: hasOldOverlays)
        own = try FileDescriptor.open("/proc/self/ns/mnt", O_RDONLY)
        self.seed = seed
    }

    /// Clones a child that starts in the seed and in the given net namespace.
    func clone(
        _ namespaces: Namespaces, network: FileDescriptor, ownNetwork: FileDescriptor, into cgroup: FileDescriptor?,
        _ body: () -> Never
    ) throws(SystemError) -> ChildProcess {
        defer { leaveSeed(ownNetwork) }
        try Namespaces.network.enter(network)
        try Namespaces.mount.enter(seed)
        return try ChildProcess.clone(namespaces, into: cgroup, body)
    }

    /// A launcher that cannot come back to its own namespaces would act on a sandbox's: it must not go on.
    private func leaveSeed(_ ownNetwork: FileDescriptor) {
        do throws(SystemError) {
            try Namespaces.mount.enter(own)
            try Namespaces.network.enter(ownNetwork)
            try systemCall("fchdir") { fchdir(run.raw) }
        } catch {
            Diagnostics.write("cannot return to the launcher's own namespaces: \(error)")
            abort()
        }
    }

    private static func makeSeed(at path: String, _ rights: HostRights) throws(SystemError) -> FileDescriptor {
        let tmpfs = try Mount.make("tmpfs", [("mode", "0755"), ("size", "4k")], attributes: [])
        for name in ["root", "proc", "empty"] { try tmpfs.descriptor.makeDirectory(name, mode: 0o755) }
        try tmpfs.descriptor.makeFile("nothing", [], mode: 0o444)
        try tmpfs.attach(to: FileDescriptor.currentDirectory, path)
        let processes = try Self.processes(rights)
        try processes.attach(to: tmpfs.descriptor.raw, "proc")
        try tmpfs.setAttributes(.readOnly)
        try systemCall("fchdir seed") { fchdir(tmpfs.descriptor.raw) }
        try systemCall("pivot_root seed") { CLinux_pivot_root(".", ".") }
        try Mount.detach(".")
        return try FileDescriptor.open("/proc/self/ns/mnt", O_RDONLY)
    }

    /// The host's pid namespace belongs to the host's root: who is not, copies the mount that is there, with what
    /// is mounted in it, which the kernel does not let him lift off (mount_namespaces(7), "locked").
    private static func processes(_ rights: HostRights) throws(SystemError) -> Mount {
        if rights.mountsProcesses {
            return try Mount.make("proc", [], attributes: [.noSetUID, .noDevices, .noExecution])
        }
        return try Mount.copy(of: FileDescriptor.currentDirectory, "/proc", recursive: true)
    }
}
