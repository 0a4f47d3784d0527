import CLinux
import Glibc

/// A file in memory whose content nobody can change any more (memfd_create(2), F_ADD_SEALS of fcntl(2)): the
/// receiver may check it once and rely on it.
public enum SealedFile {
    public static func make(_ bytes: [UInt8], name: String) throws(SystemError) -> FileDescriptor {
        let file = FileDescriptor(owning: try systemCall("memfd_create \(name)") { CLinux_memfd(name) })
        try file.writeAll(bytes)
        try systemCall("lseek \(name)") { lseek(file.raw, 0, SEEK_SET) }
        try systemCall("fcntl F_ADD_SEALS") { fcntl(file.raw, addSeals, sealAll) }
        return file
    }

    // <linux/fcntl.h>, visible only with _GNU_SOURCE.
    private static let addSeals: Int32 = 1_033
    /// F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE.
    private static let sealAll: Int32 = 0xf
}
