import Glibc
import LinuxSystem

/// One sandbox's writable layer as a directory with a project id of its own, on the file system of the launcher's data.
///
/// Its name is the id, which is all there is to remember: an id with limits has a directory, whoever dies when.
struct ProjectDirectory {
    let id: UInt32
    let limit: Limit
    /// The directory alone, whatever else is on the file system.
    let mount: Mount

    /// What a project may have at most.
    struct Limit: Equatable {
        var bytes: UInt64
        var inodes: UInt64

        /// Of a writable layer of this size: as much as one on an image over a loop device has.
        init(bytes: UInt64) {
            self.init(
                bytes: DiskGeometry(bytes: bytes).usableBlocks * DiskGeometry.blockBytes,
                inodes: DiskGeometry.inodes(forBytes: bytes))
        }

        init(bytes: UInt64, inodes: UInt64) {
            self.bytes = bytes
            self.inodes = inodes
        }
    }

    /// Makes an empty one, on which nothing has been written yet.
    ///
    /// - Throws: EBUSY when the id is somebody else's, be it that something carries it or that it has limits.
    static func make(_ id: UInt32, _ limit: Limit, in store: FileDescriptor) throws(SystemError) -> Mount {
        let quota = ProjectQuota(of: store)
        // It was at the launcher's start, but an administrator may have switched it off (quotaoff(8)).
        guard quota.isEnforced else { throw SystemError("project quotas", code: ESRCH) }
        guard try quota.record(of: id).isUnused else { throw SystemError("project \(id)", code: EBUSY) }
        let name = "\(id)"
        guard mkdirat(store.raw, name, 0o700) == 0 else {
            throw SystemError("mkdirat project \(id)", code: errno == EEXIST ? EBUSY : errno)
        }
        do throws(SystemError) {
            let directory = try store.open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
            try ProjectQuota.give(directory, to: id)
            // Another launcher that took the same id at the same time sees two, as this one does, and both go on to
            // another.
            guard try quota.record(of: id).inodes == 1 else { throw SystemError("project \(id)", code: EBUSY) }
        } catch {
            unlinkat(store.raw, name, AT_REMOVEDIR)
            throw error
        }
        do throws(SystemError) {
            try quota.limit(id, bytes: limit.bytes, inodes: limit.inodes)
            let record = try quota.record(of: id)
            // A limit that is not the one that was asked for is none.
            guard record.byteLimit == limit.bytes, record.inodeLimit == limit.inodes else {
                throw SystemError("project \(id)", code: ERANGE)
            }
            let mount = try Mount.copy(of: store.raw, name)
            try mount.setAttributes([.noSetUID, .noDevices])
            return mount
        } catch {
            try? remove(name, in: store)
            throw error
        }
    }

    /// What the launcher itself writes: ext4 holds no limit against CAP_SYS_RESOURCE (`ignore_hardlimit`), which
    /// overlay gives up for the sandbox (Linux 4.10).
    ///
    /// - Throws: ENOSPC when it does not fit.
    func check(roomFor bytes: UInt64) throws(SystemError) {
        let record = try ProjectQuota(of: mount.descriptor).record(of: id)
        guard bytes <= limit.bytes - min(limit.bytes, record.bytes) else {
            throw SystemError("project \(id)", code: ENOSPC)
        }
    }

    /// Removes one with all that is in it: first its limits, so that none is ever left without a directory.
    static func remove(_ name: String, in store: FileDescriptor) throws(SystemError) {
        // Where that fails, quotas were switched off: an id that keeps its limits is not taken again.
        if let id = UInt32(name), let directory = try? store.open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW),
            (try? ProjectQuota.project(of: directory)) == id
        {
            try? ProjectQuota(of: store).removeLimits(of: id)
        }
        try TreeRemoval.remove(name, in: store)
    }
}
