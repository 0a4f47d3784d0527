import CLinux
import Glibc
import LinuxSystem

/// Whether the launcher's disk has the room that limits promise. Unlike an image's, a project's room is not taken in
/// advance: others who write to the same file system can still have it first.
enum ProjectRoom {
    /// What is free has to do for all that sandboxes may still write.
    ///
    /// - Throws: ENOSPC when it does not.
    static func check(
        _ promised: [UInt32: ProjectDirectory.Limit], in store: FileDescriptor
    ) throws(SystemError) {
        let quota = ProjectQuota(of: store)
        var records: [ProjectQuota.Record] = []
        for id in promised.keys { records.append(try quota.record(of: id)) }
        var state = statfs()
        try systemCall("fstatfs projects") { fstatfs(store.raw, &state) }
        let free = ProjectDirectory.Limit(
            bytes: UInt64(state.f_bavail).multipliedReportingOverflow(by: UInt64(state.f_bsize)).partialValue,
            inodes: UInt64(state.f_ffree))
        let limits = Array(promised.values)
        guard let rest = rest(of: limits, less: records), rest.bytes <= free.bytes, rest.inodes <= free.inodes else {
            throw SystemError("project", code: ENOSPC)
        }
    }

    /// What can still be written; nil where it is more than there can be.
    static func rest(
        of limits: [ProjectDirectory.Limit], less records: [ProjectQuota.Record]
    ) -> ProjectDirectory.Limit? {
        var sum = ProjectDirectory.Limit(bytes: 0, inodes: 0)
        for (limit, record) in zip(limits, records) {
            let (bytes, isTooMuch) = sum.bytes.addingReportingOverflow(limit.bytes - min(limit.bytes, record.bytes))
            let (inodes, areTooMany) = sum.inodes.addingReportingOverflow(
                limit.inodes - min(limit.inodes, record.inodes))
            if isTooMuch || areTooMany { return nil }
            sum = ProjectDirectory.Limit(bytes: bytes, inodes: inodes)
        }
        return sum
    }
}
