import CLinux
import Glibc
import LinuxSystem

/// Whether a disk has the room that limits promise. Unlike an image's, a project's room is not taken in advance: it is
/// free until it is written. So what is free has to do for all that was promised, and for a reserve beside it, which
/// others who write to the same file system use up first.
struct ProjectRoom {
    /// What others may write before a promise is broken: a twentieth of the file system, at most this.
    private static let mostReserve: UInt64 = 1 << 30
    /// Projects that are looked at, far more than hosts have sandboxes. Only an administrator sets a limit, but every
    /// owner of a file can make a record, by giving it an id (`fileattr_set_prepare`).
    static let mostRecords = 16_384

    /// What is left on the file system.
    let available: UInt64
    let reserve: UInt64
    let inodes: UInt64

    init(available: UInt64, reserve: UInt64, inodes: UInt64) {
        self.available = available
        self.reserve = reserve
        self.inodes = inodes
    }

    init(in store: FileDescriptor) throws(SystemError) {
        var state = statfs()
        try systemCall("fstatfs projects") { fstatfs(store.raw, &state) }
        let size = UInt64(state.f_bsize)
        self.init(
            available: UInt64(state.f_bavail).multipliedReportingOverflow(by: size).partialValue,
            reserve: Self.reserve(of: UInt64(state.f_blocks).multipliedReportingOverflow(by: size).partialValue),
            inodes: UInt64(state.f_ffree))
    }

    /// Called when the newest promise is made: its limit is a record like the others. What other launchers on this file
    /// system have promised is in its records, too.
    ///
    /// - Throws: ENOSPC when there is not enough, EUSERS when there are more records than are looked at.
    static func check(in store: FileDescriptor) throws(SystemError) {
        let quota = ProjectQuota(of: store)
        try ProjectRoom(in: store).check { project throws(SystemError) in try quota.next(from: project) }
    }

    /// Adds up what can still be written below the limits, until that is too much.
    ///
    /// - Parameter next: the first project from one on, as `ProjectQuota.next`.
    func check(
        _ next: (UInt32) throws(SystemError) -> (project: UInt32, record: ProjectQuota.Record)?
    ) throws(SystemError) {
        let free = ProjectDirectory.Limit(bytes: available - min(available, reserve), inodes: inodes)
        var rest = ProjectDirectory.Limit(bytes: 0, inodes: 0)
        var project = ProjectIDs.all.lowerBound
        for _ in 0..<Self.mostRecords {
            guard let found = try next(project), ProjectIDs.all.contains(found.project) else { return }
            guard let sum = Self.sum(rest, found.record), sum.bytes <= free.bytes, sum.inodes <= free.inodes else {
                throw SystemError(
                    "of \(available) bytes and \(inodes) files that its file system has left, \(reserve) bytes are "
                        + "kept for others, and sandboxes were promised too many of the rest", code: ENOSPC)
            }
            rest = sum
            project = found.project + 1
        }
        throw SystemError(
            "\(Self.mostRecords) projects or more from \(ProjectIDs.all.lowerBound) on have files on its file system, "
                + "and only sandboxes should: see which with repquota -P and give those files another project",
            code: EUSERS)
    }

    static func reserve(of bytes: UInt64) -> UInt64 { min(mostReserve, bytes / 20) }

    /// With what can still be written below one more limit; nil where it is more than there can be.
    private static func sum(
        _ rest: ProjectDirectory.Limit, _ record: ProjectQuota.Record
    ) -> ProjectDirectory.Limit? {
        let (bytes, isTooMuch) = rest.bytes.addingReportingOverflow(
            record.byteLimit - min(record.byteLimit, record.bytes))
        let (inodes, areTooMany) = rest.inodes.addingReportingOverflow(
            record.inodeLimit - min(record.inodeLimit, record.inodes))
        return isTooMuch || areTooMany ? nil : ProjectDirectory.Limit(bytes: bytes, inodes: inodes)
    }
}
