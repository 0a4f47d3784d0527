import CLinux
import Glibc
import LinuxSystem

/// Finds out whether limits of projects hold where the launcher's data is: by reaching them as a sandbox would, through
/// an overlay. What a kernel says of itself is asked, too, but a limit that was never seen to hold is no limit.
enum ProjectTrial {
    /// Of the trial: small, since it is filled, but more than its directories take, of blocks of 64 KiB too.
    private static let limit = ProjectDirectory.Limit(bytes: 1 << 20, inodes: 64)

    /// Nil where they hold, else why they are not used.
    ///
    /// - Throws: EBUSY when the id is somebody else's.
    static func refusal(
        _ id: UInt32, in store: FileDescriptor, _ workshop: MountWorkshop
    ) throws(SystemError) -> String? {
        var state = statfs()
        try systemCall("fstatfs projects") { fstatfs(store.raw, &state) }
        guard [.ext4, .xfs].contains(FileSystem(state)) else { return "it is on neither ext4 nor XFS" }
        guard ProjectQuota(of: store).isEnforced else { return "its file system enforces no project quotas" }
        // What sandboxes write would not count against it.
        guard try ProjectQuota.project(of: store) == nil else {
            return "the launcher's data is in a project of somebody else's"
        }
        let mount = try ProjectDirectory.make(id, limit, in: store)
        defer { try? ProjectDirectory.remove("\(id)", in: store) }
        return try reach(ProjectDirectory(id: id, limit: limit, mount: mount), workshop)
    }

    private static func reach(
        _ project: ProjectDirectory, _ workshop: MountWorkshop
    ) throws(SystemError) -> String? {
        let limits = SandboxPlan.Limits(
            memoryBytes: limit.bytes, cpuMillis: 0, pids: 0, diskBytes: limit.bytes, outputBytes: 0)
        let layer = try WritableLayer(limits: limits, on: .project(project), base: 0, keptAs: nil, in: workshop)
        let overlay = try layer.overlay([MountWorkshop.noLayer])
        layer.detach()
        let root = overlay.descriptor
        // Before there are no inodes left.
        let file = try root.open("bytes", O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
        for index in 0...limit.inodes {
            let made = openat(root.raw, "\(index)", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            if made < 0 {
                if try isRefused("files"), layer.usage().hasNoInodes { break }
                return "files were refused before they were too many"
            }
            close(made)
            if index == limit.inodes { return "more files were made than a limit allowed" }
        }
        let page = [UInt8](repeating: 1, count: Int(DiskGeometry.blockBytes))
        var written: UInt64 = 0
        while Glibc.write(file.raw, page, page.count) == page.count {
            written += UInt64(page.count)
            if written > limit.bytes { return "more was written than a limit allowed" }
        }
        if try isRefused("bytes"), layer.usage().isFull { return nil }
        return "bytes were refused before they were too many"
    }

    /// Whether it was for a limit. ext4 says EDQUOT, XFS says ENOSPC.
    private static func isRefused(_ what: String) throws(SystemError) -> Bool {
        guard errno == EDQUOT || errno == ENOSPC else { throw SystemError("trial of \(what)", code: errno) }
        return true
    }
}
