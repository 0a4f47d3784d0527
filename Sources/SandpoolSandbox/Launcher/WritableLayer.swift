import CLinux
import Glibc
import LinuxSystem

/// What one sandbox can write: a tmpfs of the size of its disk limit, which is charged to its memory. Holds
/// the overlay's upper layer and the directories that are writable beside it.
///
/// It is attached below the launcher's run directory while overlays are mounted over it and parts of it are
/// bound: before Linux 6.15 both need it in the launcher's own mount namespace, and overlays need a path.
final class WritableLayer {
    private let tmpfs: Mount
    private let base: UInt32
    private let overlayOptions: [(String, String)]
    private let point: String
    private var isAttached = false
    /// Of files that were copied in, as they were then.
    private var copies: [String: (size: off_t, modified: timespec)] = [:]
    /// About as many as ext4 makes: one inode for each 16 KiB, and at least what a shell needs.
    private static let bytesPerInode: UInt64 = 16_384
    private static let sharedPoint = "writable"

    /// With a name of its own it can stay attached after the sandbox started, for its files to be read later.
    init(
        limits: SandboxPlan.Limits, base: UInt32, keptAs name: String?, run: FileDescriptor,
        overlayOptions: [(String, String)]
    ) throws(SystemError) {
        self.base = base
        self.overlayOptions = overlayOptions
        point = name.map { "kept/\($0)" } ?? Self.sharedPoint
        let inodes = max(4_096, limits.diskBytes / Self.bytesPerInode)
        tmpfs = try Mount.make(
            "tmpfs", [("size", "\(limits.diskBytes)"), ("nr_inodes", "\(inodes)"), ("mode", "0755")],
            attributes: [.noSetUID, .noDevices])
        let root = tmpfs.descriptor
        try root.makeDirectory("upper", mode: 0o755, owner: base)
        try root.makeDirectory("work", mode: 0o755)
        for name in ["shm", "tmp"] { try root.makeDirectory(name, mode: 0o1777, owner: base) }
        if name != nil { try run.makeDirectory(point, mode: 0o700) }
        do throws(SystemError) {
            try tmpfs.attach(to: run.raw, point)
        } catch {
            if name != nil { _ = unlinkat(run.raw, point, AT_REMOVEDIR) }
            throw error
        }
        isAttached = true
    }

    deinit { detach() }

    /// No more overlays and binds of it will be made.
    func detach() {
        guard isAttached else { return }
        isAttached = false
        try? Mount.detach(point)
        if point != Self.sharedPoint { rmdir(point) }
    }

    private var directory: FileDescriptor { tmpfs.descriptor }

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

    /// An overlay of `lowers`, topmost first, under one of its directories.
    func overlay(_ lowers: [String], upper: String = "upper", work: String = "work") throws(SystemError) -> Mount {
        try Mount.make(
            "overlay",
            Self.lowerOptions(lowers) + overlayOptions + [
                ("upperdir", "\(point)/\(upper)"), ("workdir", "\(point)/\(work)"),
            ],
            attributes: [.noSetUID, .noDevices])
    }

    /// The same files when the sandbox is gone, for reading.
    func readOnlyOverlay(_ lowers: [String], upper: String = "upper") throws(SystemError) -> Mount {
        try Mount.make(
            "overlay", Self.lowerOptions(["\(point)/\(upper)"] + lowers) + overlayOptions,
            attributes: [.readOnly, .noSetUID, .noDevices])
    }

    /// The value of one option is at most 255 bytes (fsconfig(2)); longer lists are given one by one, which takes
    /// Linux 6.8.
    private static func lowerOptions(_ lowers: [String]) -> [(String, String)] {
        let joined = lowers.joined(separator: ":")
        return joined.utf8.count <= 255 ? [("lowerdir", joined)] : lowers.map { ("lowerdir+", $0) }
    }

    struct Usage {
        var bytes: UInt64
        var inodes: UInt64
        var isFull: Bool
    }

    func usage() -> Usage {
        var state = statfs()
        guard fstatfs(directory.raw, &state) == 0 else { return Usage(bytes: 0, inodes: 0, isFull: false) }
        return Usage(
            bytes: UInt64(state.f_blocks - state.f_bfree) * UInt64(state.f_bsize),
            inodes: UInt64(state.f_files - state.f_ffree), isFull: state.f_bfree == 0 || state.f_ffree == 0)
    }
}
