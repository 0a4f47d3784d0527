import CLinux
import Glibc
import LinuxSystem

/// What a writable layer has, and whether anything more would go into it.
struct DiskUsage {
    var bytes: UInt64 = 0
    var inodes: UInt64 = 0
    /// Whether nothing more can be written, or nothing more be made.
    var isFull = false
    var hasNoInodes = false
    /// Whether it is the host's disk that has no room left, and not this.
    var isHostFull = false

    /// What a writer that met the limit may leave of a disk. ext4 takes room for a whole folio of the page cache at
    /// once, which is up to 2 MiB (measured on Linux 6.18: 264 KiB to 1.9 MiB left by writes of 1 MiB and more).
    private static func lastBytes(of disk: UInt64) -> UInt64 { min(2 << 20, disk / 32) }

    /// XFS promises a write room for all of it or for none, for up to 4 MiB at once (measured on Linux 6.1).
    private static func lastBytesOnXFS(of disk: UInt64) -> UInt64 { min(4 << 20, disk / 8) }

    /// What a writer that met the end of the host's disk may leave of it: the greatest of both.
    private static let lastBytesOfHost: UInt64 = 4 << 20

    /// Of a file system (statfs(2)); nothing where that fails.
    init(of directory: FileDescriptor) {
        var state = statfs()
        guard fstatfs(directory.raw, &state) == 0 else { return }
        bytes = UInt64(state.f_blocks - state.f_bfree) * UInt64(state.f_bsize)
        inodes = UInt64(state.f_files - state.f_ffree)
        let last = FileSystem(state) == .tmpfs ? 0 : Self.lastBytes(of: UInt64(state.f_blocks) * UInt64(state.f_bsize))
        hasNoInodes = state.f_ffree == 0
        isFull = hasNoInodes || UInt64(state.f_bavail) * UInt64(state.f_bsize) <= last
    }

    /// Of a project, by its own limits; nothing where it cannot be asked. A host's disk that others filled is no limit
    /// of the sandbox's.
    init(of project: ProjectDirectory) {
        let place = project.mount.descriptor
        var state = statfs()
        if let record = try? ProjectQuota(of: place).record(of: project.id), fstatfs(place.raw, &state) == 0 {
            self.init(record, project.limit, isXFS: FileSystem(state) == .xfs)
            // Of all that is free: overlay writes with the rights of who mounted it, for whom ext4 keeps some.
            isHostFull = !isFull && UInt64(state.f_bfree) * UInt64(state.f_bsize) <= Self.lastBytesOfHost
        } else {
            self.init()
        }
    }

    init(bytes: UInt64 = 0, inodes: UInt64 = 0) {
        self.bytes = bytes
        self.inodes = inodes
    }

    init(_ record: ProjectQuota.Record, _ limit: ProjectDirectory.Limit, isXFS: Bool) {
        bytes = record.bytes
        inodes = record.inodes
        hasNoInodes = inodes >= limit.inodes
        let last = isXFS ? Self.lastBytesOnXFS(of: limit.bytes) : Self.lastBytes(of: limit.bytes)
        isFull = hasNoInodes || limit.bytes - min(limit.bytes, bytes) <= last
    }
}

/// The file systems that the launcher tells apart, by their numbers in statfs(2).
enum FileSystem: UInt32 {
    case tmpfs = 0x0102_1994
    case ext4 = 0xef53
    case xfs = 0x5846_5342

    init?(_ state: statfs) { self.init(rawValue: UInt32(truncatingIfNeeded: state.f_type)) }
}
