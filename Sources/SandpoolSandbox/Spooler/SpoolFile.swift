import Glibc
import LinuxSystem

/// A file without a name that one stream of a sandbox goes to.
///
/// The launcher's own descriptor is never passed on: whoever reads or writes gets an opening of their own, so
/// that the kernel knows whether anyone still has it.
final class SpoolFile {
    let file: FileDescriptor
    /// Above this, freeing the blocks takes long; whoever closes the file last does it.
    private static let keptBytes: off_t = 1 << 20

    init(in directory: FileDescriptor) throws(SystemError) {
        let unnamed: Int32 = 0x41_0000
        file = try directory.open(".", O_RDWR | unnamed, mode: 0o600)
    }

    /// One that the program before made.
    init(_ file: FileDescriptor) { self.file = file }

    func openForReading() throws(SystemError) -> FileDescriptor { try open(O_RDONLY) }

    func openForWriting() throws(SystemError) -> FileDescriptor { try open(O_WRONLY) }

    private func open(_ flags: Int32) throws(SystemError) -> FileDescriptor {
        try FileDescriptor.open("/proc/self/fd/\(file.raw)", flags)
    }

    /// The start of what is in it.
    var text: String {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = pread(file.raw, &buffer, buffer.count, 0)
        return String(decoding: buffer[..<max(0, count)], as: UTF8.self)
    }

    /// Since the last output, by the file's own clock. Where there was none, since an earlier time than the start.
    var millisecondsSinceWrite: UInt64 {
        var state = stat()
        var now = timespec()
        guard fstat(file.raw, &state) == 0, clock_gettime(CLOCK_REALTIME, &now) == 0 else { return 0 }
        let elapsed =
            (now.tv_sec - state.st_mtim.tv_sec) * 1_000 + (now.tv_nsec - state.st_mtim.tv_nsec) / 1_000_000
        return UInt64(clamping: elapsed)
    }

    /// Whether keeping it costs less than making another.
    var isSmall: Bool {
        var state = stat()
        return fstat(file.raw, &state) == 0 && state.st_size <= Self.keptBytes
    }

    /// Makes it as good as new; false where that cannot be.
    func empty() -> Bool {
        var state = stat()
        guard fstat(file.raw, &state) == 0 else { return false }
        // An empty file that nobody wrote to needs no entry in the file system's journal.
        return state.st_size == 0 || ftruncate(file.raw, 0) == 0
    }

    /// Whether nobody else has it open: the kernel grants a write lease only then (fcntl(2), F_SETLEASE), and a
    /// file system that knows no leases refuses it.
    var isOnlyHere: Bool {
        let command: Int32 = 1_024
        guard fcntl(file.raw, command, F_WRLCK) == 0 else { return false }
        return fcntl(file.raw, command, F_UNLCK) == 0
    }
}
