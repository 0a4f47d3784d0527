import CLinux
import Glibc

/// Limits of projects on one file system: a project is whatever carries its id, and all of it together has a limit
/// (quotactl(2), "project quotas"). ext4 and XFS have them where they were mounted with them.
public struct ProjectQuota: Sendable {
    /// Any file or directory on the file system, also one that is only a place (O_PATH).
    private let place: FileDescriptor

    public init(of place: FileDescriptor) { self.place = place }

    /// What a project has.
    public struct Record: Equatable, Sendable {
        /// Bytes in blocks, those included that were promised to pages which are not written yet.
        public var bytes: UInt64
        public var inodes: UInt64
        /// 0 is no limit, here and below.
        public var byteLimit: UInt64
        public var inodeLimit: UInt64
        /// Whether there are limits that only warn. They are nobody's but an administrator's.
        public var hasSoftLimits: Bool

        /// Whether nobody has this id: nothing carries it and nothing was said of it.
        public var isUnused: Bool { self == Record(bytes: 0, inodes: 0, byteLimit: 0, inodeLimit: 0) }

        init(_ quota: CLinux_quota) {
            self.init(
                bytes: quota.bytes, inodes: quota.inodes, byteLimit: quota.byte_limit, inodeLimit: quota.inode_limit,
                hasSoftLimits: quota.soft_byte_limit != 0 || quota.soft_inode_limit != 0)
        }

        public init(
            bytes: UInt64, inodes: UInt64, byteLimit: UInt64, inodeLimit: UInt64, hasSoftLimits: Bool = false
        ) {
            self.bytes = bytes
            self.inodes = inodes
            self.byteLimit = byteLimit
            self.inodeLimit = inodeLimit
            self.hasSoftLimits = hasSoftLimits
        }
    }

    /// Whether limits are enforced: a file system may count what projects have and let them have it, and one
    /// without project quotas does neither. Anybody may ask.
    public var isEnforced: Bool { CLinux_quota_holds(place.raw) == 1 }

    /// Needs CAP_SYS_ADMIN, as `limit` does.
    public func record(of project: UInt32) throws(SystemError) -> Record {
        var quota = CLinux_quota()
        try systemCall("quotactl_fd Q_GETQUOTA \(project)") { CLinux_quota(place.raw, project, &quota) }
        return Record(quota)
    }

    /// The first project from one on that has a record, by whomever it was made; nil where there is none (Linux 4.6 and
    /// later). Whoever owns a file may give it any id, so there may be as many records as files: look at some only.
    public func next(from project: UInt32) throws(SystemError) -> (project: UInt32, record: Record)? {
        var (project, quota) = (project, CLinux_quota())
        do throws(SystemError) {
            try systemCall("quotactl_fd Q_GETNEXTQUOTA \(project)") {
                CLinux_next_quota(place.raw, &project, &quota)
            }
        } catch  where error.code == ENOENT {
            return nil
        }
        return (project, Record(quota))
    }

    /// Sets the hard limits, of bytes in units of 1 KiB rounded down, and takes soft ones away.
    public func limit(_ project: UInt32, bytes: UInt64, inodes: UInt64) throws(SystemError) {
        try systemCall("quotactl_fd Q_SETQUOTA \(project)") {
            CLinux_set_quota(place.raw, project, bytes, inodes)
        }
    }

    public func removeLimits(of project: UInt32) throws(SystemError) { try limit(project, bytes: 0, inodes: 0) }

    /// Gives an open directory to a project, with all that will be made below it.
    ///
    /// Only in the initial user namespace, by its owner or with CAP_FOWNER (`fileattr_set_prepare`).
    public static func give(_ directory: FileDescriptor, to project: UInt32) throws(SystemError) {
        try systemCall("ioctl FS_IOC_FSSETXATTR") { CLinux_set_project(directory.raw, project) }
    }

    /// The project that an open directory gives to what is made in it; nil where it gives none.
    public static func project(of directory: FileDescriptor) throws(SystemError) -> UInt32? {
        var project: UInt32 = 0
        var isInherited: Int32 = 0
        try systemCall("ioctl FS_IOC_FSGETXATTR") { CLinux_project(directory.raw, &project, &isInherited) }
        return isInherited == 0 ? nil : project
    }
}
