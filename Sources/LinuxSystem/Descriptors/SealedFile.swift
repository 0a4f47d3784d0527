import CLinux
import Glibc

/// A file in memory whose content nobody can change any more (memfd_create(2), F_ADD_SEALS of fcntl(2)): the
/// receiver may check it once and rely on it.
public enum SealedFile {
    public static func make(_ bytes: [UInt8], name: String) throws(SystemError) -> FileDescriptor {
        let file = try MemoryFile.make(name)
        try file.writeAll(bytes)
        try systemCall("lseek \(name)") { lseek(file.raw, 0, SEEK_SET) }
        try seal(file)
        return file
    }

    /// A copy of a program, to be executed. A host that allows none of these (vm.memfd_noexec=2) says EACCES.
    public static func copy(ofProgram program: FileDescriptor, name: String) throws(SystemError) -> FileDescriptor {
        let file = FileDescriptor(owning: try systemCall("memfd_create \(name)") { CLinux_memfd_program(name) })
        var state = stat()
        try systemCall("fstat \(name)") { fstat(program.raw, &state) }
        var left = Int(state.st_size)
        while left > 0 {
            let count = try systemCall("sendfile \(name)") { sendfile(file.raw, program.raw, nil, left) }
            guard count > 0 else { throw SystemError("sendfile \(name)", code: EIO) }
            left -= count
        }
        try seal(file)
        return file
    }

    public static func isSealed(_ file: FileDescriptor) -> Bool {
        let seals = fcntl(file.raw, getSeals)
        return seals >= 0 && seals & contentSeals == contentSeals
    }

    private static func seal(_ file: FileDescriptor) throws(SystemError) {
        try systemCall("fcntl F_ADD_SEALS") { fcntl(file.raw, addSeals, contentSeals | sealSeal) }
    }

    // <linux/fcntl.h>, visible only with _GNU_SOURCE.
    private static let addSeals: Int32 = 1_033
    private static let getSeals: Int32 = 1_034
    private static let sealSeal: Int32 = 0x1
    /// F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE.
    private static let contentSeals: Int32 = 0x2 | 0x4 | 0x8
}
