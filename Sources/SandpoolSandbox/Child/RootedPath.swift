import Glibc
import LinuxSystem

/// Paths inside a sandbox's root, made where the image lacks them. Resolved as if the root were the only tree
/// there is, never through a magic link: `/proc/self/fd/7` once led out of a well-known runtime.
enum RootedPath {
    /// Opens a directory, making it and those above it for `owner` (ids as the calling process sees them).
    static func makeDirectory(
        _ path: String, in root: FileDescriptor, owner: (user: uid_t, group: gid_t) = (0, 0)
    ) throws(SystemError) -> FileDescriptor {
        do throws(SystemError) {
            return try root.openInRoot(path, O_PATH | O_DIRECTORY)
        } catch  where error.code == ENOENT {
            var parent = root
            var prefix = ""
            for component in path.split(separator: "/") {
                prefix += "/\(component)"
                parent = try step(prefix, String(component), in: parent, root: root, owner: owner)
            }
            return parent
        }
    }

    /// Opens a file as a place for a mount, making an empty one when there is none.
    static func makeFile(_ path: String, in root: FileDescriptor) throws(SystemError) -> FileDescriptor {
        let components = path.split(separator: "/")
        guard let name = components.last else { throw SystemError("open \(path)", code: EISDIR) }
        let parent = try makeDirectory("/" + components.dropLast().joined(separator: "/"), in: root)
        do throws(SystemError) {
            return try root.openInRoot(path, O_PATH)
        } catch  where error.code == ENOENT {
            try parent.makeFile(String(name), [], mode: 0o644)
            return try root.openInRoot(path, O_PATH)
        }
    }

    private static func step(
        _ prefix: String, _ component: String, in parent: FileDescriptor, root: FileDescriptor,
        owner: (user: uid_t, group: gid_t)
    ) throws(SystemError) -> FileDescriptor {
        do throws(SystemError) {
            return try root.openInRoot(prefix, O_PATH | O_DIRECTORY)
        } catch  where error.code == ENOENT {
            if mkdirat(parent.raw, component, 0o755) == 0 {
                let made = try parent.open(component, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
                try systemCall("fchown \(prefix)") { fchown(made.raw, owner.user, owner.group) }
            } else if errno != EEXIST {
                // Another command of the sandbox may have made it meanwhile.
                throw SystemError("mkdirat \(prefix)", code: errno)
            }
            return try root.openInRoot(prefix, O_PATH | O_DIRECTORY)
        }
    }
}
