import Glibc
import LinuxSystem

/// The sandbox's `/proc`: of its own processes, without what tells about the host's hardware, and with `/proc/sys` to
/// read only.
///
/// The kernel's own word goes first, since each mount costs a start about 10 µs: a file that belongs to the host's root
/// and that others may not read (`kcore`, `timer_list`), or not write (`sysrq-trigger`, `irq`, `bus`, `fs`), is closed
/// to ids that only the sandbox has, whatever capabilities go with them (user_namespaces(7), Docs/decisions/0012).
/// Below `/proc/sys` there are files that a user namespace's root does own: those of its IPC namespace.
struct ProcessFiles {
    /// Which of these there are, with the rights of others: from the host's own procfs, when the launcher starts.
    /// Mounting over what is not there would fail, and undoing that waits for every processor.
    private let hidden: [Hidden]

    private struct Hidden {
        var name: String
        var isDirectory: Bool
    }

    /// What container runtimes hide by custom: hardware, its interrupts, kernel timing, keys. And how busy the host is
    /// with others, in files that anybody may write to have the kernel watch it.
    private static let candidates = [
        "acpi", "asound", "interrupts", "kcore", "keys", "latency_stats", "pressure", "sched_debug", "scsi",
        "timer_list",
    ]

    init() throws(SystemError) {
        let processes = try FileDescriptor.open("/proc", O_PATH | O_DIRECTORY)
        var hidden: [Hidden] = []
        for name in Self.candidates {
            var state = stat()
            guard fstatat(processes.raw, name, &state, AT_SYMLINK_NOFOLLOW) == 0, state.st_mode & 0o004 != 0 else {
                continue
            }
            hidden.append(Hidden(name: name, isDirectory: state.st_mode & S_IFMT == S_IFDIR))
        }
        self.hidden = hidden
    }

    /// Mounts it at `proc` of `root`, in the new process's own namespaces and before it leaves the seed.
    func mount(in root: FileDescriptor, masked: Bool) throws(SystemError) {
        let processes = try Mount.make(
            "proc", source: "proc", [], attributes: [.noSetUID, .noDevices, .noExecution])
        let point = try root.openInRoot("proc", O_PATH | O_NOFOLLOW)
        try processes.attach(to: point.raw)
        guard masked else { return }
        let place = processes.descriptor
        let settings = try Mount.copy(of: place.raw, "sys")
        try settings.setAttributes(.readOnly)
        try settings.attach(to: place.raw, "sys")
        for entry in hidden {
            let mask = entry.isDirectory ? MountWorkshop.emptyDirectory : MountWorkshop.emptyFile
            try Mount.copy(of: FileDescriptor.currentDirectory, mask).attach(to: place.raw, entry.name)
        }
    }
}
