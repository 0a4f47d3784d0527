import CLinux
import Glibc

/// Whether files in memory keep `user.*` attributes: tmpfs does since Linux 6.6 (kernel doc: tmpfs, "extended
/// attributes"), and without root overlay has no others to keep its notes in (kernel doc: overlayfs, "User xattr").
public enum MemoryFileAttributes {
    /// Tried on a file without a name, which is one of the kernel's own tmpfs (memfd_create(2)).
    public static var areKept: Bool {
        guard let file = try? SealedFile.make([], name: "attributes") else { return false }
        var value = UInt8(ascii: "y")
        return fsetxattr(file.raw, "user.overlay.opaque", &value, 1, 0) == 0
    }
}
