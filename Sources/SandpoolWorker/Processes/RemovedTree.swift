import Glibc
import LinuxSystem

enum RemovedTree {
    /// Removes a directory and everything in it, as far as it can; never follows a symbolic link.
    static func remove(_ path: String) {
        guard unlink(path) != 0, errno == EISDIR || errno == EPERM else { return }
        for name in (try? DirectoryListing.names(in: path)) ?? [] { remove("\(path)/\(name)") }
        rmdir(path)
    }
}
