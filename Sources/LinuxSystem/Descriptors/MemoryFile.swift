import CLinux
import Glibc

/// Files in memory without a name (memfd_create(2)), gone with their last descriptor.
public enum MemoryFile {
    public static func make(_ name: String) throws(SystemError) -> FileDescriptor {
        FileDescriptor(owning: try systemCall("memfd_create \(name)") { CLinux_memfd(name) })
    }

    /// Gives the memory of the first `count` bytes back; they read as zeros from then on, and the size stays:
    /// fallocate(2) with FALLOC_FL_PUNCH_HOLE and FALLOC_FL_KEEP_SIZE.
    public static func release(_ file: FileDescriptor, first count: Int64) throws(SystemError) {
        try systemCall("fallocate") { CLinux_fallocate(file.raw, 0x02 | 0x01, count) }
    }
}
