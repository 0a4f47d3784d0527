import CLinux
import Glibc
import LinuxSystem

/// What one sandbox can write, of the size of its disk limit: a tmpfs, which is charged to its memory, where that is
/// more than the disk limit, else a disk of its own. Holds the overlay's upper layer and the directories that are
/// writable beside it.
///
/// It is attached below the launcher's run directory while overlays are mounted over it and parts of it are
/// bound: before Linux 6.15 both need it in the launcher's own mount namespace, and overlays need a path.
final class WritableLayer {
    let kind: WritableLayerKind
    /// Where it is no tmpfs.
    let disk: WritableDisk?
    private let mount: Mount
    private let overlays: OverlayMounts
    private let memoryBytes: UInt64
    /// Taken before the sandbox had any of it.
    private let atFirst: DiskUsage
    private let base: UInt32
    private let point: String
    private var isAttached = false
    /// Of files that were copied in, as they were then.
    private var copies: [String: (size: off_t, modified: timespec)] = [:]
    private static let sharedPoint = "writable"

    /// Whether it can be a tmpfs: what would fill the memory before it is full is no limit of its own.
    static func fitsMemory(_ limits: SandboxPlan.Limits) -> Bool { limits.diskBytes < limits.memoryBytes }

    /// With a name of its own it can stay attached after the sandbox started, for its files to be read later.
    init(
        limits: SandboxPlan.Limits, on disk: WritableDisk?, base: UInt32, keptAs name: String?,
        in workshop: MountWorkshop
    ) throws(SystemError) {
        self.base = base
        overlays = workshop.overlays
        let run = workshop.run
        self.disk = disk
        kind = disk?.kind ?? .tmpfs
        memoryBytes = limits.memoryBytes
        point = Self.point(name)
        mount = if let disk { disk.mount } else { try Self.memory(bytes: limits.diskBytes, mode: "0755") }
        let root = mount.descriptor
        atFirst = Self.usage(of: root, disk)
        try root.makeDirectory("upper", mode: 0o755, owner: base)
        try root.makeDirectory("work", mode: 0o755)
        for name in disk == nil ? ["tmp", "shm"] : ["tmp"] { try root.makeDirectory(name, mode: 0o1777, owner: base) }
        if name != nil { try run.makeDirectory(point, mode: 0o700) }
        do throws(SystemError) {
            try mount.attach(to: run.raw, point)
        } catch {
            if name != nil { _ = unlinkat(run.raw, point, AT_REMOVEDIR) }
            throw error
        }
        isAttached = true
    }

    /// One that the program before made.
    init(
        takingOver state: LauncherState.WritableState, mount: Mount, disk: WritableDisk?, memoryBytes: UInt64,
        base: UInt32, keptAs name: String?, in workshop: MountWorkshop
    ) {
        self.base = base
        overlays = workshop.overlays
        self.disk = disk
        kind = disk?.kind ?? .tmpfs
        self.memoryBytes = memoryBytes
        point = Self.point(name)
        self.mount = mount
        atFirst = DiskUsage(bytes: state.bytesAtFirst, inodes: state.inodesAtFirst)
        isAttached = state.isAttached
        for copy in state.copies {
            let modified = timespec(
                tv_sec: Int(truncatingIfNeeded: copy.seconds), tv_nsec: Int(clamping: copy.nanoseconds))
            copies[copy.name] = (off_t(clamping: copy.size), modified)
        }
    }

    var state: LauncherState.WritableState {
        let kind: LauncherState.WritableState.Disk =
            switch disk {
            case .image(let image): .image(bytes: image.bytes, file: image.file.raw)
            case .project(let project):
                .project(id: project.id, bytes: project.limit.bytes, inodes: project.limit.inodes)
            case nil: .none
            }
        return LauncherState.WritableState(
            mount: mount.descriptor.raw, disk: kind, bytesAtFirst: atFirst.bytes, inodesAtFirst: atFirst.inodes,
            isAttached: isAttached,
            copies: copies.map { name, copy in
                LauncherState.WritableState.Copy(
                    name: name, size: UInt64(clamping: copy.size),
                    seconds: UInt64(truncatingIfNeeded: copy.modified.tv_sec),
                    nanoseconds: UInt64(clamping: copy.modified.tv_nsec))
            })
    }

    private static func point(_ name: String?) -> String { name.map { "kept/\($0)" } ?? sharedPoint }

    deinit { detach() }

    private static func memory(bytes: UInt64, mode: String) throws(SystemError) -> Mount {
        let inodes = DiskGeometry.inodes(forBytes: bytes)
        return try Mount.make(
            "tmpfs", [("size", "\(bytes)"), ("nr_inodes", "\(inodes)"), ("mode", mode)],
            attributes: [.noSetUID, .noDevices])
    }

    /// For `/dev/shm`, which is memory in any case: a part of the layer, or a tmpfs of half the memory, as Linux
    /// makes it by default.
    func sharedMemory() throws(SystemError) -> Mount {
        if kind == .tmpfs { return try bind("shm") }
        let shared = try Self.memory(bytes: memoryBytes / 2, mode: "1777")
        try systemCall("fchownat shm") { fchownat(shared.descriptor.raw, "", base, base, Self.emptyPath) }
        return shared
    }

    /// AT_EMPTY_PATH: a mount's descriptor is none to read or write through.
    private static let emptyPath: Int32 = 0x1000

    /// No more overlays and binds of it will be made.
    func detach() {
        guard isAttached else { return }
        isAttached = false
        try? Mount.detach(point)
        if point != Self.sharedPoint { rmdir(point) }
    }

    private var directory: FileDescriptor { mount.descriptor }

    /// Makes the directories that mounts will cover, and the generated files, as the upper layer's own: they
    /// stand before whatever an image has there, be it a symbolic link to elsewhere.
    func addGenerated(hostname: String, network: NetworkLease) throws(SystemError) {
        for name in ["upper/dev", "upper/proc", "upper/etc"] { try makeDirectory(name) }
        try directory.makeDirectory("upper/tmp", mode: 0o1777, owner: base)
        let hosts =
            "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n\(network.hostsAddress) \(hostname)\n"
        try directory.makeFile("upper/etc/hosts", Array(hosts.utf8), mode: 0o644, owner: base)
        try directory.makeFile("upper/etc/hostname", Array("\(hostname)\n".utf8), mode: 0o644, owner: base)
        try directory.makeFile("upper/etc/resolv.conf", network.resolvConf, mode: 0o644, owner: base)
    }

    func makeDirectory(_ name: String) throws(SystemError) {
        try directory.makeDirectory(name, mode: 0o755, owner: base)
    }

    /// Copies an uploaded file, keeping its time and whether it may be executed.
    func copyFile(_ source: String, to name: String) throws(SystemError) {
        let from = try FileDescriptor.open(source, O_RDONLY | O_NOFOLLOW)
        var state = stat()
        try systemCall("fstat") { fstat(from.raw, &state) }
        guard state.st_mode & S_IFMT == S_IFREG else { throw SystemError("\(source) is no plain file", code: EINVAL) }
        if case .project(let project) = disk { try project.check(roomFor: UInt64(state.st_size)) }
        let to = try directory.open(name, O_WRONLY | O_CREAT | O_EXCL, mode: 0o644)
        try systemCall("fchmod") { fchmod(to.raw, 0o644 | (state.st_mode & 0o111)) }
        try systemCall("fchown") { fchown(to.raw, base, base) }
        // Not copy_file_range: between two kinds of file system it is EXDEV.
        var offset = 0
        while try systemCall("sendfile", { sendfile(to.raw, from.raw, &offset, 1 << 30) }) > 0 {}
        // Long before now, so that any write of the command's shows.
        let times = [state.st_atim, state.st_mtim]
        try systemCall("futimens") { futimens(to.raw, times) }
        copies[name] = (state.st_size, state.st_mtim)
    }

    /// Whether a file that was copied in is no longer what it was.
    func hasChanged(_ name: String) -> Bool {
        var state = stat()
        guard let copy = copies[name], fstatat(directory.raw, name, &state, AT_SYMLINK_NOFOLLOW) == 0 else {
            return false
        }
        return state.st_size != copy.size || state.st_mtim.tv_sec != copy.modified.tv_sec
            || state.st_mtim.tv_nsec != copy.modified.tv_nsec
    }

    /// Whether one of its directories has another entry than these.
    func hasEntries(_ name: String, except known: Set<String>) -> Bool {
        guard let place = try? directory.open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW) else { return false }
        return (try? DirectoryListing.hasEntry(in: place, except: known)) ?? false
    }

    /// A bind of one of its directories or files.
    func bind(_ name: String) throws(SystemError) -> Mount { try Mount.copy(of: directory.raw, name) }

    /// An overlay of `lowers`, topmost first, under one of its directories. What is on a disk is thrown away, so the
    /// end of the sandbox does not wait for any of it to be written there (volatile, Linux 5.10).
    func overlay(_ lowers: [String], upper: String = "upper", work: String = "work") throws(SystemError) -> Mount {
        try overlays.make(
            lowers,
            [("upperdir", "\(point)/\(upper)"), ("workdir", "\(point)/\(work)")]
                + (kind == .tmpfs ? [] : [("volatile", "")]),
            attributes: [.noSetUID, .noDevices])
    }

    /// The same files when the sandbox is gone, for reading.
    func readOnlyOverlay(_ lowers: [String], upper: String = "upper") throws(SystemError) -> Mount {
        try overlays.make(["\(point)/\(upper)"] + lowers, [], attributes: [.readOnly, .noSetUID, .noDevices])
    }

    /// What was written since it was made.
    func usage() -> DiskUsage {
        var usage = Self.usage(of: directory, disk)
        usage.bytes -= min(usage.bytes, atFirst.bytes)
        usage.inodes -= min(usage.inodes, atFirst.inodes)
        return usage
    }

    private static func usage(of directory: FileDescriptor, _ disk: WritableDisk?) -> DiskUsage {
        if case .project(let project) = disk { return DiskUsage(of: project) }
        return DiskUsage(of: directory)
    }
}
