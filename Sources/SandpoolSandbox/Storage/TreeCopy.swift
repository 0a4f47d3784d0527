import Glibc
import LinuxSystem

/// Copies files of the host that only root can have written.
enum TreeCopy {
    private static let fileLimit = 64 << 20

    /// Copies a file, link or directory with all below it; what is not there or is neither is left out, and so
    /// is whatever others may not read.
    static func copy(_ name: String, from source: FileDescriptor, to target: FileDescriptor) throws(SystemError) {
        var state = stat()
        guard fstatat(source.raw, name, &state, AT_SYMLINK_NOFOLLOW) == 0 else { return }
        switch state.st_mode & S_IFMT {
        case S_IFLNK:
            if let link = source.symbolicLink(name) { try target.makeSymbolicLink(name, to: link) }
        case S_IFREG where state.st_mode & 0o004 != 0:
            let bytes = try source.open(name, O_RDONLY | O_NOFOLLOW).readAll(limit: fileLimit)
            try target.makeFile(name, bytes, mode: state.st_mode & 0o755)
        case S_IFDIR where state.st_mode & 0o005 == 0o005:
            try target.makeDirectory(name, mode: 0o755)
            let from = try source.open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
            let to = try target.open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
            for child in try DirectoryListing.names(in: from) { try copy(child, from: from, to: to) }
        default: break
        }
    }
}
