import CLinux
import Glibc
import LinuxSystem

/// Whether a disk has the room that limits promise. Unlike an image's, a project's room is not taken in advance: it is
/// free until it is written. So what is free has to do for all that was promised, and for a reserve beside it, which
/// others who write to the same file system use up first.
enum ProjectRoom {
    /// What others may write before a promise is broken: a twentieth of the file system, at most this.
    private static let mostReserve: UInt64 = 1 << 30

    /// Called when the newest promise is made: its limit is a record like the others. What other launchers on this file
    /// system have promised is in its records, too.
    ///
    /// - Throws: ENOSPC when there is not enough.
    static func check(in store: FileDescriptor) throws(SystemError) {
        let records = try ProjectQuota(of: store).records(of: ProjectIDs.all)
        var state = statfs()
        try systemCall("fstatfs projects") { fstatfs(store.raw, &state) }
        let size = UInt64(state.f_bsize)
        let available = UInt64(state.f_bavail).multipliedReportingOverflow(by: size).partialValue
        let reserve = reserve(of: UInt64(state.f_blocks).multipliedReportingOverflow(by: size).partialValue)
        let free = ProjectDirectory.Limit(bytes: available - min(available, reserve), inodes: UInt64(state.f_ffree))
        guard let rest = rest(of: records), rest.bytes <= free.bytes, rest.inodes <= free.inodes else {
            throw SystemError(
                "of \(available) bytes and \(free.inodes) files that its file system has left, \(reserve) bytes are "
                    + "kept for others, and sandboxes were promised too many of the rest", code: ENOSPC)
        }
    }

    static func reserve(of bytes: UInt64) -> UInt64 { min(mostReserve, bytes / 20) }

    /// What can still be written below the limits; nil where it is more than there can be.
    static func rest(of records: [ProjectQuota.Record]) -> ProjectDirectory.Limit? {
        var sum = ProjectDirectory.Limit(bytes: 0, inodes: 0)
        for record in records {
            let (bytes, isTooMuch) = sum.bytes.addingReportingOverflow(
                record.byteLimit - min(record.byteLimit, record.bytes))
            let (inodes, areTooMany) = sum.inodes.addingReportingOverflow(
                record.inodeLimit - min(record.inodeLimit, record.inodes))
            if isTooMuch || areTooMany { return nil }
            sum = ProjectDirectory.Limit(bytes: bytes, inodes: inodes)
        }
        return sum
    }
}
