import CLinux
import Glibc
import LinuxSystem

/// A file system of its own for one sandbox's writable layer: ext4 in a file without a name, over a loop device.
///
/// The mount holds the device and the device the file, so that the last descriptor of the mount that is closed, be
/// it by the kernel when everything was killed, frees them all. The file is only ever read through the mount that
/// was made right after its formatting, is used once, and is thrown away.
struct DiskImage {
    let bytes: UInt64
    let mount: Mount
    /// The file. Room for it on the host's disk is taken when a sandbox gets it.
    let file: FileDescriptor

    static let formatters = ["/usr/sbin/mke2fs", "/sbin/mke2fs", "/usr/bin/mke2fs", "/bin/mke2fs"]

    /// Whether this host has what they are made with.
    static var isPossible: Bool {
        formatters.contains { access($0, X_OK) == 0 } && access(LoopDevice.control, R_OK | W_OK) == 0
    }

    /// Everything that cannot be had later without a journal or a check sum is left out. Where a file is new, all of
    /// it reads as zeros: tables need no clearing, neither here nor by the kernel in the background.
    private static let features = [
        "none", "ext_attr", "dir_index", "filetype", "extent", "64bit", "flex_bg", "sparse_super", "large_file",
        "huge_file", "uninit_bg", "dir_nlink", "extra_isize",
    ]

    /// What is on it is thrown away: nothing has to survive a power cut.
    private static let mountOptions = [("noinit_itable", ""), ("nobarrier", ""), ("noauto_da_alloc", "")]

    /// - Parameter isReserved: whether it takes its room on the host's disk at once.
    static func make(bytes: UInt64, in directory: FileDescriptor, isReserved: Bool) throws(SystemError) -> DiskImage {
        let geometry = DiskGeometry(bytes: bytes)
        let unnamed: Int32 = 0x41_0000
        let file = try directory.open(".", O_RDWR | unnamed, mode: 0o600)
        try systemCall("ftruncate disk") { ftruncate(file.raw, off_t(clamping: geometry.imageBytes)) }
        if isReserved { try reserve(file) }
        try format(file, geometry)
        let device = try LoopDevice(over: file, blockBytes: UInt32(DiskGeometry.blockBytes))
        let mount = try Mount.make(
            "ext4", source: device.path, mountOptions, attributes: [.noSetUID, .noDevices])
        try fill(mount.descriptor, leaving: geometry.usableBlocks)
        return DiskImage(bytes: bytes, mount: mount, file: file)
    }

    /// Takes what is too much with a file that no sandbox can reach. Blocks reserved for root would not do: overlay
    /// writes with the rights of who mounted it.
    private static func fill(_ disk: FileDescriptor, leaving usable: UInt64) throws(SystemError) {
        func free() throws(SystemError) -> UInt64 {
            var state = statfs()
            try systemCall("fstatfs disk") { fstatfs(disk.raw, &state) }
            return UInt64(state.f_bavail)
        }
        let before = try free()
        if before > usable {
            let filler = try disk.open("filler", O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
            let bytes = Int64((before - usable) * DiskGeometry.blockBytes)
            try systemCall("fallocate filler") { CLinux_fallocate(filler.raw, 0, bytes) }
        }
        // A limit that is not the one that was asked for is none. The filler's own map may have taken a block.
        let left = try free()
        guard left <= usable, left + 1 >= usable else {
            throw SystemError("disk: \(left) of \(usable) blocks are free", code: EUCLEAN)
        }
    }

    /// Takes the room that a sparse file only promises (fallocate(2)): afterwards no write in the sandbox can fail
    /// because others have filled the host's disk.
    static func reserve(_ file: FileDescriptor) throws(SystemError) {
        var state = stat()
        try systemCall("fstat disk") { fstat(file.raw, &state) }
        try systemCall("fallocate") { CLinux_fallocate(file.raw, 0, Int64(state.st_size)) }
    }

    private static func format(_ file: FileDescriptor, _ geometry: DiskGeometry) throws(SystemError) {
        guard let program = formatters.first(where: { access($0, X_OK) == 0 }) else {
            throw SystemError("mke2fs is not installed (apt-get install e2fsprogs)", code: ENOENT)
        }
        let arguments = [
            "mke2fs", "-q", "-F", "-t", "ext4", "-b", "\(DiskGeometry.blockBytes)",
            "-I", "\(DiskGeometry.inodeBytes)", "-N", "\(geometry.inodes)", "-m", "0",
            "-O", features.joined(separator: ","), "-E", "lazy_itable_init=1,nodiscard", "/proc/self/fd/\(file.raw)",
        ]
        let child = try ChildProcess.spawn {
            try? ProcessControl.killWhenParentEnds()
            _ = fcntl(file.raw, F_SETFD, 0)
            let pointers = arguments.map { strdup($0) } + [nil]
            execve(program, pointers, [strdup("PATH=/usr/sbin:/usr/bin:/sbin:/bin"), nil])
            _exit(127)
        }
        var status: Int32 = 0
        try systemCall("waitpid mke2fs") { waitpid(child, &status, 0) }
        guard status == 0 else { throw SystemError("mke2fs ended with status \(status)", code: EIO) }
    }
}
