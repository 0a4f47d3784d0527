import Glibc
import LinuxSystem

/// Removes trees that strangers made: of any depth and width, with names that are no text.
///
/// Time grows with what is there. Memory and descriptors do not: names are read one by one, and what is deeper than
/// `depthLimit` directories is moved up to the top, where it comes up for removal again.
enum TreeRemoval {
    private static let depthLimit = 64

    /// Removes a file or a directory with all below it, never following a link. What is not there is fine.
    static func remove(_ name: String, in parent: FileDescriptor) throws(SystemError) {
        if unlinkat(parent.raw, name, 0) == 0 || errno == ENOENT { return }
        guard errno == EISDIR || errno == EPERM else { throw SystemError("unlinkat \(name)", code: errno) }
        let top = try parent.open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        var moved: UInt64 = 0
        while true {
            let before = moved
            try empty(top, depth: 0, top, &moved)
            if unlinkat(parent.raw, name, AT_REMOVEDIR) == 0 { return }
            guard errno == ENOTEMPTY, moved > before else { throw SystemError("rmdir \(name)", code: errno) }
        }
    }

    private static func empty(
        _ directory: FileDescriptor, depth: Int, _ top: FileDescriptor, _ moved: inout UInt64
    ) throws(SystemError) {
        try DirectoryListing.each(in: directory) { name throws(SystemError) in
            if unlinkat(directory.raw, name, 0) == 0 || errno == ENOENT { return }
            guard errno == EISDIR || errno == EPERM else { throw SystemError("unlinkat", code: errno) }
            if unlinkat(directory.raw, name, AT_REMOVEDIR) == 0 { return }
            guard errno == ENOTEMPTY else { throw SystemError("rmdir", code: errno) }
            if depth == depthLimit { return try moveUp(name, in: directory, to: top, &moved) }
            let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
            let below = FileDescriptor(owning: try systemCall("openat") { openat(directory.raw, name, flags) })
            try empty(below, depth: depth + 1, top, &moved)
            try systemCall("rmdir") { unlinkat(directory.raw, name, AT_REMOVEDIR) }
        }
    }

    /// Under the next number: one that is taken by a file (ENOTDIR) or by a directory with something in it is
    /// passed over, and an empty directory of that name is replaced (rename(2)).
    private static func moveUp(
        _ name: UnsafePointer<CChar>, in directory: FileDescriptor, to top: FileDescriptor, _ moved: inout UInt64
    ) throws(SystemError) {
        while true {
            moved += 1
            if renameat(directory.raw, name, top.raw, "\(moved)") == 0 { return }
            guard errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR else {
                throw SystemError("renameat", code: errno)
            }
        }
    }
}
